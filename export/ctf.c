// SPDX-License-Identifier: MIT
// A folder in the Common Trace Format 1.8, which babeltrace2, Trace Compass and others read: the
// text "metadata", and a stream of packets for each CPU, and for events of unknown CPUs.
//
// Readers insist that time never goes back within a stream. In a ring it can, slightly: the record
// of an interrupt can lie before the older one that it interrupted, and in a ring into which
// processes write, a task can be preempted between reading the clock and reserving space. Such an
// event goes into the CPU's next stream: cpu0_1 and so on.
//
// CTF has no absent values. The context of an event therefore names the fields for which the
// payload was too short (`invalid`; their values are 0 or empty) and the texts that were longer
// when they were emitted (`truncated`). Text is valid UTF-8; other bytes are written as \xNN.
#include "export/ctf_metadata.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/cleanup.h"

#define PACKET_SIZE (32u << 10)
// Linux supports at most this many CPUs. All CPU numbers from this one on share the same streams.
#define CPUS_MAX 8192
// Where the streams of events are whose CPU is not known.
#define NO_CPU (CPUS_MAX + 1)
// How many streams a CPU can have. The kernel's rings need no more than four: for tasks, softirqs,
// interrupts and NMIs.
#define STREAMS_MAX 32

struct stream {
	struct frec_output output;
	struct frec_text packet;
	uint64_t begin, last; /* times of the packet's first event and of the stream's last event */
	uint32_t cpu;
};

struct ctf {
	const struct frec_export *context;
	struct stream *streams[NO_CPU + 1][STREAMS_MAX];
	struct frec_text names; /* names of fields, for the context of an event */
};

static void add(struct frec_text *packet, uint64_t value, size_t size)
{
	frec__text_add(packet, &value, size); // little-endian, as are all machines that record
}

static void add_string(struct frec_text *packet, const void *data, size_t size)
{
	frec__text_utf8(packet, data, size);
	frec__text_add(packet, "", 1);
}

static void start_packet(struct stream *stream, uint32_t cpu, uint64_t time)
{
	frec__text_clear(&stream->packet);
	stream->begin = time;
	stream->cpu = cpu;
	add(&stream->packet, FREC_CTF_MAGIC, 4);
	add(&stream->packet, cpu == FREC_UNKNOWN ? FREC_CTF_OF_NO_CPU : FREC_CTF_OF_CPU, 4);
	add(&stream->packet, time, 8);
	for (int i = 0; i < 3; i++)
		add(&stream->packet, 0, 8); // set by flush()
	if (cpu != FREC_UNKNOWN)
		add(&stream->packet, cpu, 4);
}

static int flush(struct stream *stream, struct frec_error *reterr)
{
	uint64_t bits = 8 * (uint64_t)stream->packet.size;
	const uint64_t late[] = {stream->last, bits, bits};

	if (!stream->packet.failed && stream->packet.size)
		memcpy(stream->packet.data + 16, late, sizeof(late));
	return frec__output_text(&stream->output, &stream->packet, reterr);
}

static int open_stream(struct ctf *ctf, size_t cpu, size_t level, struct stream **ret,
		       struct frec_error *reterr)
{
	FREC_FREE struct stream *stream = calloc(1, sizeof(*stream));
	char name[48], which[24];
	int r;

	if (!stream)
		return frec__error(reterr, -ENOMEM, "out of memory");
	snprintf(which, sizeof(which), cpu == NO_CPU ? "nocpu" : "cpu%zu", cpu);
	snprintf(name, sizeof(name), level ? "%s_%zu" : "%s", which, level);
	r = frec__output_open_in(&stream->output, ctf->context->output, name, reterr);
	if (!r)
		*ret = FREC_TAKE_PTR(stream);
	return r;
}

// Finds or opens a stream of the record's CPU whose last event is not later than the record.
static int find_stream(struct ctf *ctf, const struct frec_record *record, struct stream **ret,
		       struct frec_error *reterr)
{
	size_t cpu = record->cpu == FREC_UNKNOWN ? NO_CPU
		     : record->cpu < CPUS_MAX	 ? record->cpu
						 : CPUS_MAX;
	struct stream **streams = ctf->streams[cpu];
	size_t level = 0;
	int r = 0;

	while (level < STREAMS_MAX - 1 && streams[level] && streams[level]->last > record->time)
		level++;
	if (!streams[level]) {
		r = open_stream(ctf, cpu, level, &streams[level], reterr);
		if (r)
			return r;
		start_packet(streams[level], record->cpu, record->time);
	}
	*ret = streams[level];
	if ((*ret)->packet.size >= PACKET_SIZE || (*ret)->cpu != record->cpu) {
		r = flush(*ret, reterr);
		start_packet(*ret, record->cpu,
			     record->time > (*ret)->last ? record->time : (*ret)->last);
	}
	return r;
}

// Adds the names of the fields that are cut (or, if `cut` is false, invalid), separated by spaces.
static void add_names(struct ctf *ctf, struct frec_text *packet, const struct frec_event *event,
		      bool cut)
{
	frec__text_clear(&ctf->names);
	for (size_t i = 0; i < event->source->n_field; i++) {
		const struct frec_value *value = &event->values[i];

		if (cut ? !value->cut : value->kind != FREC_VALUE_INVALID)
			continue;
		frec__text_puts(&ctf->names, ctf->names.size ? " " : "");
		frec__text_puts(&ctf->names, event->source->field[i]->name);
	}
	packet->failed |= ctf->names.failed;
	add_string(packet, ctf->names.data, ctf->names.size);
}

static void add_context(struct ctf *ctf, struct frec_text *packet, const struct frec_event *event)
{
	ProtobufCBinaryData thread = frec__process_entry_thread_name(event->who);
	ProtobufCBinaryData process = {0};

	if (event->who)
		process = event->who->process->name;
	add(packet, event->record->pid, 4);
	add(packet, event->record->tid, 4);
	add_string(packet, process.data, process.len);
	add_string(packet, thread.data, thread.len);
	add_names(ctf, packet, event, true);
	add_names(ctf, packet, event, false);
}

static void add_value(struct frec_text *packet, const struct frec_value *value)
{
	const Flightrec__Field *field = value->field;
	bool valid = value->kind != FREC_VALUE_INVALID;
	size_t element = 1;

	switch (frec__field_type(field)) {
	case FREC_FIELD_INTEGER:
		if (value->kind == FREC_VALUE_BOOL)
			add(packet, value->u, field->size);
		else if (valid)
			frec__text_add(packet, value->data, field->size);
		else
			add(packet, 0, field->size);
		break;
	case FREC_FIELD_FLOAT:
		if (valid)
			frec__text_add(packet, value->data, field->size);
		else
			add(packet, 0, field->size);
		break;
	case FREC_FIELD_TEXT:
		add_string(packet, value->data, value->size);
		break;
	case FREC_FIELD_ARRAY:
		element = field->element_size;
		// fall through
	case FREC_FIELD_BYTES:
		add(packet, valid ? value->size / element : 0, 4);
		if (valid)
			frec__text_add(packet, value->data, value->size / element * element);
		break;
	}
	// In CTF a field has the same type in all events. So if the value is bytes in some events
	// and text in others, the text goes into a second field.
	if (frec__field_is_readable(field)) {
		bool text = value->kind == FREC_VALUE_TEXT;

		add_string(packet, text ? value->data : NULL, text ? value->size : 0);
	}
}

static int event(void *state, const struct frec_event *event, struct frec_error *reterr)
{
	struct ctf *ctf = state;
	const struct frec_record *record = event->record;
	struct stream *stream;
	int r = find_stream(ctf, record, &stream, reterr);

	if (r)
		return r;
	// Only in a forged file can a record be older than the last event in each of its CPU's
	// streams. Such a record gets the time of the event before it.
	if (record->time > stream->last)
		stream->last = record->time;
	add(&stream->packet, event->source_index, 4);
	add(&stream->packet, stream->last, 8);
	add_context(ctf, &stream->packet, event);
	for (size_t i = 0; i < event->source->n_field; i++)
		add_value(&stream->packet, &event->values[i]);
	return 0;
}

static int write_metadata(const struct ctf *ctf, struct frec_error *reterr)
{
	FREC_TEXT_FREE struct frec_text metadata = {0};
	struct frec_output output;
	int r = frec__output_open_in(&output, ctf->context->output, "metadata", reterr);

	if (r)
		return r;
	frec__ctf_metadata(&metadata, ctf->context, ctf->streams[NO_CPU][0]);
	r = frec__output_text(&output, &metadata, reterr);
	if (!r)
		return frec__output_commit(&output, reterr);
	frec__output_discard(&output);
	return r;
}

static int begin(const struct frec_export *context, void **ret_state, struct frec_error *reterr)
{
	struct ctf *ctf = calloc(1, sizeof(*ctf));

	if (!ctf)
		return frec__error(reterr, -ENOMEM, "out of memory");
	ctf->context = context;
	*ret_state = ctf;
	return 0;
}

static int end(void *state, struct frec_error *reterr)
{
	struct ctf *ctf = state;
	int r = write_metadata(ctf, reterr);

	for (size_t cpu = 0; cpu <= NO_CPU; cpu++) {
		for (size_t i = 0; i < STREAMS_MAX && ctf->streams[cpu][i] && !r; i++) {
			r = flush(ctf->streams[cpu][i], reterr);
			if (!r)
				r = frec__output_commit(&ctf->streams[cpu][i]->output, reterr);
		}
	}
	return r;
}

static void destroy(void *state)
{
	struct ctf *ctf = state;

	for (size_t cpu = 0; cpu <= NO_CPU; cpu++) {
		for (size_t i = 0; i < STREAMS_MAX && ctf->streams[cpu][i]; i++) {
			frec__output_discard(&ctf->streams[cpu][i]->output);
			frec__text_free(&ctf->streams[cpu][i]->packet);
			free(ctf->streams[cpu][i]);
		}
	}
	frec__text_free(&ctf->names);
	free(ctf);
}

const struct frec_writer frec__writer_ctf = {
	.name = "ctf",
	.what = "a folder in the Common Trace Format, for babeltrace2 and Trace Compass",
	.suffix = ".ctf",
	.kind = FREC_OUTPUT_FOLDER,
	.begin = begin,
	.event = event,
	.end = end,
	.destroy = destroy,
};
