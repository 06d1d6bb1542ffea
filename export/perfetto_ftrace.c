// SPDX-License-Identifier: MIT
// Kernel tracepoints as ftrace events. The few that Perfetto understands (the scheduler's, from
// which it draws what ran where) are filled in by the names of their fields, which are the kernel's
// own; all others are generic events, whose fields become arguments.
#include "export/perfetto.h"

#include <string.h>

static const struct {
	const char *system, *name;
} known[] = {
	{"sched", "sched_switch"},	 {"sched", "sched_wakeup"},
	{"sched", "sched_waking"},	 {"sched", "sched_wakeup_new"},
	{"sched", "sched_process_exit"}, {"sched", "sched_process_fork"},
};

static size_t find_field(const Flightrec__Source *source, const char *name)
{
	for (size_t i = 0; i < source->n_field; i++) {
		if (!strcmp(source->field[i]->name, name))
			return i;
	}
	return SIZE_MAX;
}

void frec__perfetto_find_known(struct frec_perfetto_source *source, const Flightrec__Source *from)
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
		// A kernel whose tracepoint has other fields: generic.
		if (source->known_field[i] == SIZE_MAX)
			return;
	}
	source->known = member;
}

// Sets one member of a message. Returns false when the value is of another kind than the member.
static bool set_member(struct frec_arena *arena, ProtobufCMessage *message,
		       const ProtobufCFieldDescriptor *field, const struct frec_value *value)
{
	uint8_t *member = (uint8_t *)message + field->offset;
	bool number = value->kind == FREC_VALUE_SIGNED || value->kind == FREC_VALUE_UNSIGNED ||
		      value->kind == FREC_VALUE_ENUM;

	if (field->type == PROTOBUF_C_TYPE_STRING) {
		if (value->kind != FREC_VALUE_TEXT)
			return false;
		*(char **)member = frec__arena_utf8(arena, value->data, value->size, "");
		return true;
	}
	if (!number)
		return false;
	if (field->type == PROTOBUF_C_TYPE_INT64)
		*(int64_t *)member = value->i;
	else
		*(int32_t *)member = (int32_t)value->i;
	*(protobuf_c_boolean *)((uint8_t *)message + field->quantifier_offset) = true;
	return true;
}

static bool fill_known(struct frec_perfetto *perfetto, const struct frec_event *from,
		       Perfetto__Protos__FtraceEvent *event)
{
	const struct frec_perfetto_source *source = &perfetto->sources[from->record->source_index];
	const ProtobufCMessageDescriptor *descriptor;
	ProtobufCMessage *message;

	if (!source->known)
		return false;
	descriptor = source->known->descriptor;
	message = frec__arena_alloc(&perfetto->arena, descriptor->sizeof_message);
	if (!message)
		return false;
	descriptor->message_init(message);
	for (unsigned int i = 0; i < descriptor->n_fields; i++) {
		if (!set_member(&perfetto->arena, message, &descriptor->fields[i],
				&from->values[source->known_field[i]]))
			return false;
	}
	*(ProtobufCMessage **)((uint8_t *)event + source->known->offset) = message;
	return true;
}

static void set_generic(struct frec_arena *arena,
			Perfetto__Protos__GenericFtraceEvent__Field *field,
			const struct frec_value *value)
{
	switch (value->kind) {
	case FREC_VALUE_UNSIGNED:
	case FREC_VALUE_BOOL:
	case FREC_VALUE_POINTER:
		field->value_case = PERFETTO__PROTOS__GENERIC_FTRACE_EVENT__FIELD__VALUE_UINT_VALUE;
		field->uint_value = value->u;
		return;
	case FREC_VALUE_ENUM:
		if (value->name)
			break;
		// fall through
	case FREC_VALUE_SIGNED:
		field->value_case = PERFETTO__PROTOS__GENERIC_FTRACE_EVENT__FIELD__VALUE_INT_VALUE;
		field->int_value = value->i;
		return;
	default:
		break;
	}
	// The rest has to be text here.
	field->value_case = PERFETTO__PROTOS__GENERIC_FTRACE_EVENT__FIELD__VALUE_STR_VALUE;
	if (value->kind == FREC_VALUE_TEXT) {
		field->str_value =
			frec__arena_utf8(arena, value->data, value->size, value->cut ? "…" : "");
	} else if (value->kind == FREC_VALUE_ENUM) {
		field->str_value = frec__arena_string(arena, value->name);
	} else {
		struct frec_text text = {0};

		frec__text_plain_value(&text, value);
		arena->failed |= text.failed;
		field->str_value = frec__arena_utf8(arena, text.data, text.size, "");
		frec__text_free(&text);
	}
}

static void fill_generic(struct frec_perfetto *perfetto, const struct frec_event *from,
			 Perfetto__Protos__FtraceEvent *event)
{
	struct frec_arena *arena = &perfetto->arena;
	const Flightrec__Source *source = from->source;
	Perfetto__Protos__GenericFtraceEvent *generic = frec__arena_alloc(arena, sizeof(*generic));
	Perfetto__Protos__GenericFtraceEvent__Field *fields;
	Perfetto__Protos__GenericFtraceEvent__Field **pointers;

	fields = frec__arena_array(arena, source->n_field, sizeof(*fields));
	pointers = frec__arena_array(arena, source->n_field, sizeof(*pointers));
	if (!generic || !fields || !pointers)
		return;
	perfetto__protos__generic_ftrace_event__init(generic);
	generic->event_name = frec__arena_string(arena, source->name);
	generic->field = pointers;
	generic->n_field = source->n_field;
	for (size_t i = 0; i < source->n_field; i++) {
		pointers[i] = &fields[i];
		perfetto__protos__generic_ftrace_event__field__init(&fields[i]);
		fields[i].name = frec__arena_string(arena, source->field[i]->name);
		set_generic(arena, &fields[i], &from->values[i]);
	}
	event->generic = generic;
}

int frec__perfetto_write_ftrace(struct frec_perfetto *perfetto, const struct frec_event *from,
				struct frec_error *reterr)
{
	Perfetto__Protos__TracePacket packet = PERFETTO__PROTOS__TRACE_PACKET__INIT;
	Perfetto__Protos__FtraceEventBundle bundle = PERFETTO__PROTOS__FTRACE_EVENT_BUNDLE__INIT;
	Perfetto__Protos__FtraceEvent event = PERFETTO__PROTOS__FTRACE_EVENT__INIT;
	Perfetto__Protos__FtraceEvent *events[] = {&event};
	const struct frec_record *record = from->record;

	// Readers take these times for CLOCK_BOOTTIME, whatever the packet says.
	event.has_timestamp = true;
	event.timestamp = frec__snapshot_boottime(perfetto->context->snapshot, record->time);
	event.has_pid = true;
	event.pid = record->tid;
	if (!fill_known(perfetto, from, &event))
		fill_generic(perfetto, from, &event);
	bundle.has_cpu = true;
	bundle.cpu = record->cpu;
	bundle.event = events;
	bundle.n_event = 1;
	packet.ftrace_events = &bundle;
	return frec__perfetto_write(perfetto, &packet, reterr);
}
