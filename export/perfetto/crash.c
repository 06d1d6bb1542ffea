// SPDX-License-Identifier: MIT
// Writes why the snapshot was taken: the trigger, and the death, on the track of the thread that
// got the signal. A crash is a slice from the signal until the process was gone; an exit is an
// instant.
#include "export/perfetto/crash.h"

#include <inttypes.h>
#include <string.h>

#include "export/perfetto/annotations.h"
#include "export/perfetto/stacks.h"
#include "export/report/crash.h"
#include "export/report/pairs.h"
#include "export/report/report.h"

// Writes the pairs that came with the request as an instant on the track of the thread that asked,
// because a trigger packet has no field for pairs.
static int write_fields(struct frec_perfetto *perfetto, const struct frec_timeline_file *file,
			struct frec_error *reterr)
{
	const Flightrec__Trigger *trigger = file->events.snapshot->trigger;
	const uint32_t pid = trigger->requested_by_pid;
	Perfetto__Protos__TracePacket packet = PERFETTO__PROTOS__TRACE_PACKET__INIT;
	Perfetto__Protos__TrackEvent event = PERFETTO__PROTOS__TRACK_EVENT__INIT;
	struct frec_annotations annotations = {0};
	FREC_TEXT_FREE struct frec_text name = {0}, value = {0};
	const Flightrec__Pair *pair;
	char *category = "flightrec";
	size_t at = 0;
	int r = 0;

	// If no process asked, the instant is one of the whole trace.
	if (pid)
		r = frec__perfetto_track(
			perfetto, pid, pid,
			frec__processes_find(&file->events.processes, pid, trigger->time),
			&event.track_uuid, reterr);
	if (r)
		return r;
	while ((pair = frec__pairs_next(trigger->field, trigger->n_field, &at))) {
		frec__text_clear(&value);
		frec__text_utf8(&value, pair->value.data, pair->value.len);
		frec__annotation_add_string(&perfetto->arena, &annotations, pair->key,
					    value.size ? value.data : "");
	}
	frec__text_puts(&name, "trigger: ");
	frec__text_utf8(&name, trigger->name, strlen(trigger->name));
	perfetto->arena.failed |= name.failed || value.failed;
	event.name = name.failed ? "" : name.data;
	event.categories = &category;
	event.n_categories = 1;
	event.has_track_uuid = event.has_type = true;
	event.type = PERFETTO__PROTOS__TRACK_EVENT__TYPE__TYPE_INSTANT;
	event.debug_annotations = annotations.items;
	event.n_debug_annotations = annotations.count;
	packet.has_timestamp = true;
	packet.timestamp = trigger->time + file->host->shift;
	packet.track_event = &event;
	return frec__perfetto_write(perfetto, &packet, reterr);
}

int frec__perfetto_write_trigger(struct frec_perfetto *perfetto,
				 const struct frec_timeline_file *file, struct frec_error *reterr)
{
	const Flightrec__Trigger *from = file->events.snapshot->trigger;
	Perfetto__Protos__TracePacket packet = PERFETTO__PROTOS__TRACE_PACKET__INIT;
	Perfetto__Protos__Trigger trigger = PERFETTO__PROTOS__TRIGGER__INIT;
	int r;

	if (!from)
		return 0;
	trigger.trigger_name = frec__arena_string(
		&perfetto->arena, *from->name ? from->name : frec__trigger_kind(from));
	trigger.producer_name = "flightrec";
	trigger.has_trusted_producer_uid = from->requested_by_pid != 0;
	trigger.trusted_producer_uid = (int32_t)from->requested_by_uid;
	packet.has_timestamp = true;
	packet.timestamp = from->time + file->host->shift;
	packet.trigger = &trigger;
	r = frec__perfetto_write(perfetto, &packet, reterr);
	return r || !from->n_field ? r : write_fields(perfetto, file, reterr);
}

static void add_crash(struct frec_perfetto *perfetto, const struct frec_timeline_file *file,
		      struct frec_annotations *annotations)
{
	const Flightrec__Crash *crash = file->events.snapshot->crash;
	struct frec_arena *arena = &perfetto->arena;
	FREC_TEXT_FREE struct frec_text text = {0};
	Perfetto__Protos__DebugAnnotation *annotation;

	frec__crash_headline(&text, crash);
	frec__annotation_add_string(arena, annotations, "what", text.data ? text.data : "");
	frec__text_clear(&text);
	if (crash->signal) {
		frec__crash_signal(&text, crash);
		frec__annotation_add_string(arena, annotations, "signal",
					    text.data ? text.data : "");
		frec__text_clear(&text);
		if (crash->how_case == FLIGHTREC__CRASH__HOW_CODE) {
			frec__crash_code(&text, crash);
			frec__annotation_add_string(arena, annotations, "code",
						    text.data ? text.data : "");
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
	frec__text_clear(&text);
	frec__report_text(&text, file->events.snapshot, file->events.stacks, crash->time, false);
	frec__annotation_add_string(arena, annotations, "report", text.data ? text.data : "");
	arena->failed |= text.failed;
	if (crash->registers)
		frec__annotation_add_registers(
			arena, annotations, frec__perfetto_registers(perfetto),
			crash->registers->mask, crash->registers->value, crash->registers->n_value);
}

// Returns the time at which the process was gone, as far as the file shows it.
static uint64_t end_of(const struct frec_timeline_file *file, const Flightrec__Crash *crash,
		       const struct frec_process_entry *who)
{
	const Flightrec__Trigger *trigger = file->events.snapshot->trigger;

	if (who && who->process->exit > crash->time)
		return who->process->exit;
	return trigger && trigger->copied > crash->time ? trigger->copied : crash->time;
}

int frec__perfetto_write_crash(struct frec_perfetto *perfetto,
			       const struct frec_timeline_file *file, struct frec_error *reterr)
{
	const Flightrec__Crash *crash = file->events.snapshot->crash;
	Perfetto__Protos__TracePacket packet = PERFETTO__PROTOS__TRACE_PACKET__INIT;
	Perfetto__Protos__TrackEvent event = PERFETTO__PROTOS__TRACK_EVENT__INIT;
	const struct frec_process_entry *who;
	struct frec_annotations annotations = {0};
	char *category = "flightrec";
	const struct frec_call_stack *stack;
	FREC_TEXT_FREE struct frec_text name = {0};
	uint64_t callstack_iid;
	uint32_t tid;
	int r;

	if (!crash)
		return 0;
	tid = crash->tid ? crash->tid : crash->pid;
	who = frec__processes_find(&file->events.processes, tid, crash->time);
	r = frec__perfetto_track(perfetto, crash->pid, tid, who, &event.track_uuid, reterr);
	if (r)
		return r;
	stack = frec__stacks_of_crash(file->events.stacks);
	r = frec__perfetto_stack(perfetto, stack, &callstack_iid, reterr);
	if (r)
		return r;
	event.has_callstack_iid = callstack_iid != 0;
	event.callstack_iid = callstack_iid;
	add_crash(perfetto, file, &annotations);
	if (crash->signal) {
		frec__text_puts(&name, "crash: ");
		frec__crash_signal(&name, crash);
	} else {
		frec__text_printf(&name, "exit: status %" PRId32, crash->exit_status);
	}
	event.name = name.data;
	event.categories = &category;
	event.n_categories = 1;
	event.has_track_uuid = event.has_type = true;
	event.type = crash->signal ? PERFETTO__PROTOS__TRACK_EVENT__TYPE__TYPE_SLICE_BEGIN
				   : PERFETTO__PROTOS__TRACK_EVENT__TYPE__TYPE_INSTANT;
	event.debug_annotations = annotations.items;
	event.n_debug_annotations = annotations.count;
	packet.has_timestamp = true;
	packet.timestamp = crash->time + file->host->shift;
	packet.track_event = &event;
	r = frec__perfetto_write(perfetto, &packet, reterr);
	if (!r && crash->signal)
		r = frec__perfetto_end_slice(perfetto, end_of(file, crash, who) + file->host->shift,
					     event.track_uuid, reterr);
	return r;
}
