// SPDX-License-Identifier: MIT
// Why the trace was taken: the trigger, and the crash as an event on the track of the thread that
// took the signal.
#include "export/perfetto.h"

#include <inttypes.h>

#include "export/crash.h"

int frec__perfetto_write_trigger(struct frec_perfetto *perfetto, struct frec_error *reterr)
{
	const Flightrec__Trigger *from = perfetto->context->snapshot->trigger;
	Perfetto__Protos__TracePacket packet = PERFETTO__PROTOS__TRACE_PACKET__INIT;
	Perfetto__Protos__Trigger trigger = PERFETTO__PROTOS__TRIGGER__INIT;

	if (!from)
		return 0;
	trigger.trigger_name = frec__arena_string(
		&perfetto->arena, *from->name ? from->name : frec__trigger_kind(from));
	trigger.producer_name = "flightrec";
	trigger.has_trusted_producer_uid = from->requested_by_pid != 0;
	trigger.trusted_producer_uid = (int32_t)from->requested_by_uid;
	packet.has_timestamp = true;
	packet.timestamp = from->time;
	packet.trigger = &trigger;
	return frec__perfetto_write(perfetto, &packet, reterr);
}

static void add_crash(struct frec_perfetto *perfetto, const Flightrec__Crash *crash,
		      struct frec_annotations *annotations)
{
	struct frec_arena *arena = &perfetto->arena;
	struct frec_text text = {0};
	Perfetto__Protos__DebugAnnotation *annotation;

	if (crash->signal) {
		frec__crash_signal(&text, crash);
		frec__annotation_add_string(arena, annotations, "signal",
					    text.data ? text.data : "");
		frec__text_clear(&text);
		if (crash->how_case == FLIGHTREC__CRASH__HOW_CODE) {
			frec__crash_code(&text, crash);
			frec__annotation_add_string(arena, annotations, "code", text.data ? text.data : "");
		}
	} else if (crash->end_case == FLIGHTREC__CRASH__END_EXIT_STATUS) {
		annotation = frec__annotation_add(arena, annotations, "exit_status");
		if (annotation) {
			annotation->value_case =
				PERFETTO__PROTOS__DEBUG_ANNOTATION__VALUE_INT_VALUE;
			annotation->int_value = crash->exit_status;
		}
	}
	if (crash->fault_case == FLIGHTREC__CRASH__FAULT_ADDRESS) {
		annotation = frec__annotation_add(arena, annotations, "address");
		if (annotation) {
			annotation->value_case =
				PERFETTO__PROTOS__DEBUG_ANNOTATION__VALUE_POINTER_VALUE;
			annotation->pointer_value = crash->address;
		}
	}
	frec__text_clear(&text);
	frec__text_utf8(&text, crash->process_name.data, crash->process_name.len);
	frec__annotation_add_string(arena, annotations, "process", text.data ? text.data : "");
	frec__text_clear(&text);
	frec__crash_command_line(&text, crash);
	frec__annotation_add_string(arena, annotations, "cmdline", text.data ? text.data : "");
	arena->failed |= text.failed;
	frec__text_free(&text);
	if (crash->registers)
		frec__annotation_add_registers(arena, annotations, perfetto->registers,
					       crash->registers->mask, crash->registers->value,
					       crash->registers->n_value);
}

int frec__perfetto_write_crash(struct frec_perfetto *perfetto, struct frec_error *reterr)
{
	const Flightrec__Crash *crash = perfetto->context->snapshot->crash;
	Perfetto__Protos__TracePacket packet = PERFETTO__PROTOS__TRACE_PACKET__INIT;
	Perfetto__Protos__TrackEvent instant = PERFETTO__PROTOS__TRACK_EVENT__INIT;
	struct frec_annotations annotations = {0};
	char *category = "flightrec";
	const struct frec_call_stack *stack;
	struct frec_text name = {0};
	uint64_t callstack_iid;
	uint32_t tid;
	int result;

	if (!crash)
		return 0;
	tid = crash->tid ? crash->tid : crash->pid;
	result = frec__perfetto_track(
		perfetto, crash->pid, tid,
		frec__processes_find(perfetto->context->processes, tid, crash->time),
		&instant.track_uuid, reterr);
	if (result)
		return result;
	stack = frec__stacks_of_crash(perfetto->context->stacks);
	result = frec__perfetto_stack(perfetto, stack, &callstack_iid, reterr);
	if (result)
		return result;
	instant.has_callstack_iid = callstack_iid != 0;
	instant.callstack_iid = callstack_iid;
	add_crash(perfetto, crash, &annotations);
	if (crash->signal) {
		frec__text_puts(&name, "crash: ");
		frec__crash_signal(&name, crash);
	} else {
		frec__text_printf(&name, "exit: status %" PRId32, crash->exit_status);
	}
	instant.name = name.data;
	instant.categories = &category;
	instant.n_categories = 1;
	instant.has_track_uuid = instant.has_type = true;
	instant.type = PERFETTO__PROTOS__TRACK_EVENT__TYPE__TYPE_INSTANT;
	instant.debug_annotations = annotations.items;
	instant.n_debug_annotations = annotations.count;
	packet.has_timestamp = true;
	packet.timestamp = crash->time;
	packet.track_event = &instant;
	result = frec__perfetto_write(perfetto, &packet, reterr);
	frec__text_free(&name);
	return result;
}
