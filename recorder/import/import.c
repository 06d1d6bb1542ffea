// SPDX-License-Identifier: MIT
// Reads the recording once. Samples are converted to our layout and go to the sort, keyed by CPU.
// Records about processes go there too, with the lowest key: perf.data has them in the order in
// which perf drained the rings, and they must be sorted by time.
#include "recorder/import/import.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "proto/bytes.h"
#include "proto/perf_sample.h"
#include "recorder/import/import_internal.h"
#include "recorder/import/attribute.h"
#include "recorder/import/perf_data_describe.h"

#define SORT_ROOM (48u << 20)
#define OUT_ROOM (128u << 10)
#define RECORD_SIZE_MAX 65528
// No machine has CPUs with higher numbers, and a reader of the .frec file needs memory for each CPU
// up to the highest.
#define CPU_MAX 65535
#define NO_CPU UINT32_MAX
#define COMMON_SIZE 8
// The size of a payload with only the common fields, padded so that the payload and its u32 size
// together are a multiple of 8 bytes.
#define BARE_PAYLOAD_SIZE 12
#define MISC_LOST_BY_BPF (1 << 15)
// Linux has had 25 bits of sample_type since 5.14. What later ones add to a sample comes behind all
// that is read here.
#define KNOWN_SAMPLE_BITS ((UINT64_C(1) << 25) - 1)
// Since Linux 6.19: a record of its own has the user's half of a call chain.
#define RECORD_CALLCHAIN_DEFERRED 22
#define CONTEXT_USER_DEFERRED ((uint64_t)-640)

static int bad(const struct frec_import *import, const char *what, struct frec_error *reterr)
{
	return frec__error(reterr, -EBADMSG, "%s: byte %" PRIu64 ": %s", import->data.name,
			   import->data.record_offset, what);
}

static void note_left_out(struct frec_import_result *result, const struct perf_event_attr *attr)
{
	if (attr->sample_type & PERF_SAMPLE_READ)
		result->parts |= FREC_IMPORT_NO_COUNTS;
	if (attr->sample_type & PERF_SAMPLE_BRANCH_STACK)
		result->parts |= FREC_IMPORT_NO_BRANCHES;
	result->unknown_samples |= attr->sample_type & ~KNOWN_SAMPLE_BITS;
}

// Checks that the events have timestamps, and that all have their id at the same place in a record.
static int check_events(struct frec_import *import, struct frec_error *reterr)
{
	const struct frec_perf_data *data = &import->data;

	if (!data->event_count)
		return bad(import, "the records precede the description of the events", reterr);
	for (; import->events_checked < data->event_count; import->events_checked++) {
		const struct perf_event_attr *attr = &data->events[import->events_checked].attr;
		size_t offset = frec__perf_sample_id_offset(attr),
		       trailer = frec__perf_sample_id_trailer(attr);

		if (!(attr->sample_type & PERF_SAMPLE_TIME) && frec__import_is_written(attr))
			return frec__error(
				reterr, -ENOTSUP,
				"%s: its events have no timestamps: record with 'perf record "
				"--timestamp'",
				data->name);
		if (!import->events_checked) {
			import->id_offset = offset;
			import->id_trailer = trailer;
		}
		if (data->event_count > 1 && (offset == SIZE_MAX || offset != import->id_offset ||
					      trailer != import->id_trailer))
			return frec__error(reterr, -ENOTSUP,
					   "%s: its records do not say which event they belong to",
					   data->name);
		import->backward |= attr->write_backward;
		if (frec__import_is_written(attr))
			note_left_out(&import->result, attr);
	}
	return 0;
}

static const struct frec_perf_event *event_at(struct frec_import *import, const uint8_t *body,
					      size_t size, size_t offset)
{
	const struct frec_perf_event *event = NULL;
	uint64_t id;

	if (offset <= size && size - offset >= 8) {
		memcpy(&id, body + offset, 8);
		event = frec__perf_data_event(&import->data, id);
	}
	return event || import->data.event_count > 1 ? event : import->data.events;
}

static uint64_t source_id(const struct frec_import *import, const struct frec_perf_event *event)
{
	return event && frec__import_is_written(&event->attr)
		       ? (uint64_t)(event - import->data.events) + 1
		       : 0;
}

// Writes the pieces of a record into a buffer that has room for two records of the largest size.
struct writer {
	uint8_t *at;
};

static void append(struct writer *writer, const void *data, size_t size)
{
	if (size)
		memcpy(writer->at, data, size);
	writer->at += size;
}

static void append_number(struct writer *writer, uint64_t value, size_t size)
{
	append(writer, &value, size);
}

// Returns how many entries of the call chain come before the mark for the user's half, which is in
// a record of its own. The entry behind the mark is the number of that record, and no address.
static uint64_t before_deferred(const struct frec_perf_sample *sample)
{
	for (uint64_t i = 0; i < sample->chain_count; i++) {
		uint64_t entry;

		memcpy(&entry, sample->chain + 8 * i, sizeof(entry));
		if (entry == CONTEXT_USER_DEFERRED)
			return i;
	}
	return sample->chain_count;
}

static void append_chain(struct writer *writer, const struct perf_event_header *header,
			 const struct perf_event_attr *attr, const struct frec_perf_sample *sample)
{
	bool kernel = (header->misc & PERF_RECORD_MISC_CPUMODE_MASK) == PERF_RECORD_MISC_KERNEL;

	if (attr->sample_type & PERF_SAMPLE_CALLCHAIN) {
		uint64_t count = before_deferred(sample);

		append_number(writer, count, 8);
		append(writer, sample->chain, 8 * (size_t)count);
		return;
	}
	append_number(writer, 2, 8);
	append_number(writer, kernel ? PERF_CONTEXT_KERNEL : PERF_CONTEXT_USER, 8);
	append_number(writer, sample->ip, 8);
}

static void append_payload(struct writer *writer, const struct perf_event_attr *attr,
			   const struct frec_perf_sample *sample)
{
	size_t padding = (12 - sample->raw_size % 8) % 8;

	if (attr->type == PERF_TYPE_TRACEPOINT && sample->raw) {
		append_number(writer, sample->raw_size + padding, 4);
		append(writer, sample->raw, sample->raw_size);
		append(writer, (const uint8_t[8]){0}, padding);
		return;
	}
	append_number(writer, BARE_PAYLOAD_SIZE, 4);
	append_number(writer, (uint64_t)sample->tid << 32, COMMON_SIZE);
	append_number(writer, 0, BARE_PAYLOAD_SIZE - COMMON_SIZE);
}

// Converts a sample to the layout of Records in flightrec.proto. Returns the size, or 0 if the
// result is too large or its size is no multiple of 8.
static size_t convert(struct frec_import *import, struct perf_event_header header,
		      const struct frec_perf_event *event, const struct frec_perf_sample *sample)
{
	uint64_t type = frec__import_sample_type(&event->attr);
	struct writer writer = {import->out + sizeof(header)};
	size_t size;

	append_number(&writer, source_id(import, event), 8);
	append_number(&writer, sample->pid, 4);
	append_number(&writer, sample->tid, 4);
	append_number(&writer, sample->time, 8);
	append_number(&writer, sample->cpu, 8);
	if (type & PERF_SAMPLE_PERIOD)
		append_number(&writer, sample->period, 8);
	if (type & PERF_SAMPLE_CALLCHAIN)
		append_chain(&writer, &header, &event->attr, sample);
	append_payload(&writer, &event->attr, sample);
	if (type & PERF_SAMPLE_REGS_USER) {
		append_number(&writer, sample->abi, 8);
		if (sample->abi)
			append(&writer, sample->registers,
			       8 * (size_t)__builtin_popcountll(event->attr.sample_regs_user));
	}
	if (type & PERF_SAMPLE_STACK_USER) {
		append_number(&writer, sample->stack_size, 8);
		append(&writer, sample->stack, (size_t)sample->stack_size);
		if (sample->stack_size)
			append_number(&writer, sample->stack_used, 8);
	}
	size = (size_t)(writer.at - import->out);
	header.size = (uint16_t)size;
	memcpy(import->out, &header, sizeof(header));
	return size <= RECORD_SIZE_MAX && size % 8 == 0 ? size : 0;
}

static int add_sample(struct frec_import *import, const struct perf_event_header *header,
		      const uint8_t *body, size_t size, struct frec_error *reterr)
{
	const struct frec_perf_event *event = event_at(import, body, size, import->id_offset);
	struct frec_perf_sample sample;

	if (!source_id(import, event)) {
		import->result.left_out++;
		return 0;
	}
	if (frec__perf_sample_read(&event->attr, body, size, &sample))
		return bad(import, "a sample that does not match its event", reterr);
	if (!(event->attr.sample_type & PERF_SAMPLE_TID))
		sample.pid = sample.tid = UINT32_MAX;
	if (!(event->attr.sample_type & PERF_SAMPLE_CPU))
		sample.cpu = NO_CPU;
	else if (sample.cpu > CPU_MAX)
		return bad(import, "a sample with an invalid CPU", reterr);
	size = convert(import, *header, event, &sample);
	if (!size) {
		import->result.left_out++;
		return 0;
	}
	if (!import->result.events++ || sample.time < import->first)
		import->first = sample.time;
	if (sample.time > import->last)
		import->last = sample.time;
	frec__crash_finder_mention(&import->finder, sample.pid);
	return frec__record_sort_add(&import->sort, frec__import_key(sample.cpu), sample.time,
				     import->out, (uint32_t)size, reterr);
}

// Returns the sample id at the end of a record. If there is none, the result has NO_CPU and zeros.
static struct frec_perf_sample trailer_of(struct frec_import *import, const uint8_t *body,
					  size_t size, const struct frec_perf_event **ret_event)
{
	size_t offset = size >= import->id_trailer ? size - import->id_trailer : SIZE_MAX;
	const struct frec_perf_event *event = event_at(import, body, size, offset);
	struct frec_perf_sample trailer;

	*ret_event = event;
	// Records that perf synthesized for processes that already ran have the same trailer, with
	// the id 0. No event has that id, so the attribute of the first event is used.
	if (frec__perf_sample_read_trailer(event ? &event->attr : &import->data.events[0].attr,
					   body, size, &trailer))
		return (struct frec_perf_sample){.cpu = NO_CPU};
	return trailer;
}

static int add_loss(struct frec_import *import, const struct perf_event_header *header,
		    const uint8_t *body, size_t size, struct frec_error *reterr)
{
	struct frec_import_loss loss = {.header = {.type = header->type, .size = sizeof(loss)}};
	struct frec_bytes bytes = frec__bytes(body, size);
	const struct frec_perf_event *event;
	struct frec_perf_sample trailer = trailer_of(import, body, size, &event);

	// In a PERF_RECORD_LOST, the trailer has the id of the event that noticed the loss, and the
	// body has the id of the event that lost samples.
	if (header->type == PERF_RECORD_LOST)
		event = frec__perf_data_event(&import->data, frec__bytes_u64(&bytes));
	loss.lost = frec__bytes_u64(&bytes);
	loss.source = source_id(import, event);
	if (bytes.failed)
		return bad(import, "the record here is too short", reterr);
	if (header->misc & MISC_LOST_BY_BPF) // a BPF program discarded the samples on purpose
		return 0;
	import->lost_samples |= header->type == PERF_RECORD_LOST_SAMPLES;
	return frec__record_sort_add(
		&import->sort, frec__import_key(trailer.cpu <= CPU_MAX ? trailer.cpu : NO_CPU), 0,
		&loss, sizeof(loss), reterr);
}

static int add_record(struct frec_import *import, const struct perf_event_header *header,
		      const uint8_t *record, struct frec_error *reterr)
{
	const uint8_t *body = record + sizeof(*header);
	size_t size = header->size - sizeof(*header);
	const struct frec_perf_event *event;
	int r = 0;

	if (import->events_checked < import->data.event_count || !import->data.event_count)
		r = check_events(import, reterr);
	if (r)
		return r;
	switch (header->type) {
	case PERF_RECORD_SAMPLE:
		return add_sample(import, header, body, size, reterr);
	case PERF_RECORD_LOST:
	case PERF_RECORD_LOST_SAMPLES:
		return add_loss(import, header, body, size, reterr);
	case PERF_RECORD_COMM:
	case PERF_RECORD_EXIT:
	case PERF_RECORD_FORK:
	case PERF_RECORD_MMAP:
	case PERF_RECORD_MMAP2:
		return frec__record_sort_add(&import->sort, FREC_IMPORT_SIDEBAND,
					     trailer_of(import, body, size, &event).time, record,
					     header->size, reterr);
	case RECORD_CALLCHAIN_DEFERRED:
		import->result.parts |= FREC_IMPORT_NO_DEFERRED;
		return 0;
	default:
		return 0;
	}
}

static int read_all(struct frec_import *import, const struct frec_import_options *options,
		    struct frec_error *reterr)
{
	const struct frec_perf_input *input = &import->data.input;
	struct perf_event_header header;
	struct frec_error error = {0};
	const uint8_t *record;
	int r;

	while ((r = frec__perf_data_next(&import->data, &header, &record, &error)) > 0) {
		if (options && options->progress)
			options->progress(options->progress_data, input->offset,
					  input->end == UINT64_MAX ? 0 : input->end);
		// perf's own records are not needed here.
		if (header.type >= FREC_PERF_HEADER_ATTR)
			continue;
		r = add_record(import, &header, record, reterr);
		if (r)
			return r;
	}
	if (r == -EBADMSG && import->result.events) {
		import->result.end = error;
		return 0;
	}
	if (r && reterr)
		*reterr = error;
	if (r)
		return r;
	if (!import->result.events)
		return frec__error(reterr, -ENODATA, "%s: holds no events%s%s", import->data.name,
				   import->data.unfinished ? ": " : "",
				   import->data.unfinished ? import->data.unfinished : "");
	if (import->data.unfinished)
		frec__error(&import->result.end, -EBADMSG, "%s: %s", import->data.name,
			    import->data.unfinished);
	return 0;
}

// What a recorder does without if it has no memory for it, such as the name of a process, would be
// missing in the file. malloc(3) has set errno then.
static int check_memory(struct frec_error *reterr)
{
	return errno == ENOMEM ? frec__error(reterr, -ENOMEM, "out of memory") : 0;
}

static int import_all(struct frec_import *import, const struct frec_import_options *options,
		      struct frec_error *reterr)
{
	int r;

	errno = 0;
	r = read_all(import, options, reterr);
	if (!r)
		r = check_memory(reterr);
	if (r)
		return r;
	import->result.aux_bytes = import->data.aux_bytes;
	import->result.clock_is_perfs = !import->data.events[0].attr.use_clockid;
	import->result.clock_known = import->data.clock_known && !import->result.clock_is_perfs;
	import->ours = import->data.version && !strncmp(import->data.version, "flightrec", 9);
	frec__import_write(import);
	if (!import->parts.error.code)
		(void)check_memory(&import->parts.error);
	if (!import->parts.error.code)
		frec__new_file_commit(&import->parts.file, &import->parts.error);
	if (import->parts.error.code && reterr)
		*reterr = import->parts.error;
	return import->parts.error.code;
}

static void import_deinit(struct frec_import *import)
{
	frec__record_sort_deinit(&import->sort);
	frec__crash_finder_deinit(&import->finder);
	frec__new_file_discard(&import->parts.file);
	free(import->out);
	frec__perf_data_close(&import->data);
}
#define IMPORT __attribute__((cleanup(import_deinit)))

int frec__import(int fd, const char *name, const char *output,
		 const struct frec_import_options *options, struct frec_import_result *ret,
		 struct frec_error *reterr)
{
	static const struct frec_reason nothing_happened;
	static const struct frec_snapshot_job snapshot = {.reason = &nothing_happened,
							  .only_uid = -1};
	IMPORT struct frec_import import = {
		.data.input.fd = -1, .sort.fd = -1, .parts.file = {.fd = -1, .folder = -1}};
	int r;

	errno = 0;
	r = frec__perf_data_open(&import.data, fd, name, reterr);
	if (!r)
		r = check_memory(reterr);
	if (!r)
		r = frec__new_file_create(&import.parts.file, output, reterr);
	if (r)
		return r;
	errno = 0;
	frec__crash_finder_init(&import.finder, &snapshot);
	import.out = malloc(OUT_ROOM);
	if (check_memory(reterr) ||
	    frec__record_sort_init(&import.sort, import.parts.file.folder, SORT_ROOM))
		return frec__error(reterr, -ENOMEM, "out of memory");
	r = import_all(&import, options, reterr);
	if (!r)
		*ret = import.result;
	return r;
}
