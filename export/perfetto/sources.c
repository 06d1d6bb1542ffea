// SPDX-License-Identifier: MIT
// Prepares what is the same in all events of a source: the numbers of its names, how its
// annotations begin, and the most bytes that an event can take.
#include "export/perfetto/sources.h"

#include <stdlib.h>
#include <string.h>

#include "export/perfetto/packet.h"

// An upper bound, in bytes, for an annotation without its value, for a register, and for what
// surrounds the annotations.
#define PIECE_MAX 64

// The most bytes of a packet that one byte of a value can become.
static const uint8_t growth[] = {
	[FREC_VALUE_TEXT] = 4,	 // each byte as \xNN
	[FREC_VALUE_BYTES] = 2,	 // each byte as two digits
	[FREC_VALUE_ARRAY] = 32, // each byte a number, as text or within two messages
	[FREC_VALUE_INVALID] = 0, [FREC_VALUE_UNSIGNED] = 0, [FREC_VALUE_SIGNED] = 0,
	[FREC_VALUE_BOOL] = 0,	  [FREC_VALUE_POINTER] = 0,  [FREC_VALUE_ENUM] = 0,
	[FREC_VALUE_DOUBLE] = 0,  [FREC_VALUE_FLOAT] = 0,
};

static bool is_long(const Flightrec__Field *field)
{
	return frec__field_type(field) != FREC_FIELD_INTEGER;
}

// Returns an upper bound for the bytes of two annotations: that of the field, whose value is a
// number or the name of an enumerator, and the one that says that the value was cut.
static size_t field_bound(const Flightrec__Field *field)
{
	size_t longest = 0;

	for (size_t i = 0; i < field->n_enumerator; i++) {
		size_t length = strlen(field->enumerator[i]->name);

		longest = length > longest ? length : longest;
	}
	return 2 * PIECE_MAX + 4 * longest + 4 * strlen(field->name);
}

// The tracepoints that have messages of their own in proto/perfetto_trace.proto.
static const struct {
	const char *system, *name;
} known[] = {
	{"sched", "sched_switch"},	 {"sched", "sched_wakeup"},
	{"sched", "sched_waking"},	 {"sched", "sched_wakeup_new"},
	{"sched", "sched_process_exit"}, {"sched", "sched_process_fork"},
	{"raw_syscalls", "sys_enter"},	 {"raw_syscalls", "sys_exit"},
};

static size_t find_field(const Flightrec__Source *source, const char *name)
{
	for (size_t i = 0; i < source->n_field; i++) {
		if (!strcmp(source->field[i]->name, name))
			return i;
	}
	return SIZE_MAX;
}

static void find_known(struct frec_perfetto_source *source, const Flightrec__Source *from)
{
	const ProtobufCFieldDescriptor *member = NULL;
	const ProtobufCMessageDescriptor *descriptor;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]) && !member; i++) {
		if (!strcmp(known[i].system, from->system) && !strcmp(known[i].name, from->name))
			member = protobuf_c_message_descriptor_get_field_by_name(
				&perfetto__protos__ftrace_event__descriptor, from->name);
	}
	if (!member)
		return;
	descriptor = member->descriptor;
	for (unsigned int i = 0; i < descriptor->n_fields; i++) {
		source->known_field[i] = find_field(from, descriptor->fields[i].name);
		// If a field is missing, because the tracepoint has other fields in this kernel,
		// the event is written as a generic one.
		if (source->known_field[i] == SIZE_MAX)
			return;
	}
	source->known = member;
}

static void prepare_annotation(struct frec_perfetto_annotation *ret, uint64_t iid)
{
	uint8_t *start = frec__pack_begin(ret->bytes, EVENT_DEBUG_ANNOTATIONS);

	ret->size = (uint8_t)(frec__pack_number(start, ANNOTATION_NAME_IID, iid) - ret->bytes);
}

static bool prepare(struct frec_perfetto_source *prepared, const Flightrec__Source *source,
		    uint64_t iid)
{
	*prepared = (struct frec_perfetto_source){
		.annotation_iid = iid,
		.annotations = calloc(source->n_field + 1, sizeof(*prepared->annotations)),
		.long_fields = calloc(source->n_field + 1, sizeof(*prepared->long_fields)),
		.bound = 4 * PIECE_MAX + 4 * strlen(source->name),
		.packet_length = 1,
		.event_length = 1,
	};
	if (!prepared->annotations || !prepared->long_fields)
		return false;
	for (size_t i = 0; i < source->n_field; i++) {
		prepare_annotation(&prepared->annotations[i], iid + i);
		prepared->bound += field_bound(source->field[i]);
		if (is_long(source->field[i]))
			prepared->long_fields[prepared->long_count++] = i;
	}
	find_known(prepared, source);
	return true;
}

bool frec__perfetto_prepare_sources(struct frec_perfetto *perfetto, const struct frec_host *host)
{
	const struct frec_snapshot *snapshot = host->snapshot;
	struct frec_perfetto_source *sources = calloc(snapshot->source_count + 1, sizeof(*sources));
	uint64_t annotation_iid = 1;

	perfetto->sources[host->index] = sources;
	for (size_t i = 0; sources && i < snapshot->source_count; i++) {
		if (!prepare(&sources[i], snapshot->sources[i], annotation_iid))
			return false;
		annotation_iid += snapshot->sources[i]->n_field;
	}
	return sources;
}

void frec__perfetto_free_sources(struct frec_perfetto_source *sources, size_t count)
{
	for (size_t i = 0; sources && i < count; i++) {
		free(sources[i].annotations);
		free(sources[i].long_fields);
	}
	free(sources);
}

size_t frec__perfetto_event_bound(const struct frec_perfetto_source *source,
				  const struct frec_event *event)
{
	size_t bound = source->bound + (event->record->registers ? 64 * PIECE_MAX : 0);

	if (event->shape)
		bound += 2 * PIECE_MAX + 9 * FREC_SHAPE_FIELDS_MAX +
			 (event->shape->message ? 4 * event->shape->message->size : 0);
	for (size_t i = 0; i < source->long_count; i++) {
		const struct frec_value *value = &event->values[source->long_fields[i]];

		bound += growth[value->kind] * value->size;
	}
	return bound;
}
