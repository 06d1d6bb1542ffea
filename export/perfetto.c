// SPDX-License-Identifier: MIT
// Perfetto's protobuf trace, packet by packet.
//
// All packets but the kernel's tracepoints belong to one sequence: its first packet clears the
// reader's state and sets the clock, all others need that state. Names of events, categories and
// annotations are interned: the packet of a source's first event brings all names of that source.
// Times are CLOCK_MONOTONIC, except in ftrace events, which readers take for CLOCK_BOOTTIME
// whatever a packet says; the clock snapshots in the trace relate the two.
//
// A packet holds one kernel event where Perfetto's own recorder would bundle hundreds: ten bytes
// more for each, and no memory.
#include "export/perfetto.h"

#include <errno.h>
#include <stdlib.h>

#define TRACK_OF_THREAD (2ull << 32)

uint8_t *frec__perfetto_room(struct frec_perfetto *perfetto, size_t size, struct frec_error *reterr)
{
	if (size > perfetto->packed_size) {
		uint8_t *packed = realloc(perfetto->packed, 2 * size);

		if (!packed) {
			frec__error(reterr, -ENOMEM, "out of memory");
			return NULL;
		}
		perfetto->packed = packed;
		perfetto->packed_size = 2 * size;
	}
	return perfetto->packed;
}

int frec__perfetto_flush(struct frec_perfetto *perfetto, const uint8_t *end,
			 struct frec_error *reterr)
{
	if (perfetto->arena.failed)
		return frec__error(reterr, -ENOMEM, "out of memory");
	return frec__output_write(perfetto->context->output, perfetto->packed,
				  (size_t)(end - perfetto->packed), reterr);
}

int frec__perfetto_write(struct frec_perfetto *perfetto, Perfetto__Protos__TracePacket *packet,
			 struct frec_error *reterr)
{
	Perfetto__Protos__Trace trace = PERFETTO__PROTOS__TRACE__INIT;
	size_t size;

	if (!packet->ftrace_events) {
		packet->has_trusted_packet_sequence_id = true;
		packet->trusted_packet_sequence_id = FREC_PERFETTO_SEQUENCE;
		if (!packet->has_sequence_flags) {
			packet->has_sequence_flags = true;
			packet->sequence_flags = FREC_PERFETTO_NEEDS_STATE;
		}
	}
	trace.packet = &packet;
	trace.n_packet = 1;
	if (perfetto->arena.failed)
		return frec__error(reterr, -ENOMEM, "out of memory");
	size = perfetto__protos__trace__get_packed_size(&trace);
	if (!frec__perfetto_room(perfetto, size, reterr))
		return -ENOMEM;
	perfetto__protos__trace__pack(&trace, perfetto->packed);
	frec__arena_reset(&perfetto->arena);
	return frec__perfetto_flush(perfetto, perfetto->packed + size, reterr);
}

// Returns 1 when the number is new, 0 when it was there, or -ENOMEM.
static int remember(struct frec_perfetto *perfetto, uint32_t tid)
{
	size_t i;

	if (2 * perfetto->described_count >= perfetto->described_size) {
		size_t old_size = perfetto->described_size;
		uint32_t *old = perfetto->described;
		size_t size = old_size ? 2 * old_size : 1024;
		uint32_t *set = malloc(size * sizeof(*set));

		if (!set)
			return -ENOMEM;
		for (i = 0; i < size; i++)
			set[i] = UINT32_MAX;
		perfetto->described = set;
		perfetto->described_size = size;
		perfetto->described_count = 0;
		for (i = 0; i < old_size; i++) {
			if (old[i] != UINT32_MAX)
				(void)remember(perfetto, old[i]); // there is room
		}
		free(old);
	}
	i = tid * 2654435769u % perfetto->described_size;
	while (perfetto->described[i] != UINT32_MAX) {
		if (perfetto->described[i] == tid)
			return 0;
		i = (i + 1) % perfetto->described_size;
	}
	perfetto->described[i] = tid;
	perfetto->described_count++;
	return 1;
}

int frec__perfetto_track(struct frec_perfetto *perfetto, uint32_t pid, uint32_t tid,
			 const struct frec_process_entry *who, uint64_t *ret_uuid,
			 struct frec_error *reterr)
{
	Perfetto__Protos__TracePacket packet = PERFETTO__PROTOS__TRACE_PACKET__INIT;
	Perfetto__Protos__TrackDescriptor track = PERFETTO__PROTOS__TRACK_DESCRIPTOR__INIT;
	Perfetto__Protos__ThreadDescriptor thread = PERFETTO__PROTOS__THREAD_DESCRIPTOR__INIT;
	ProtobufCBinaryData name = frec__process_entry_thread_name(who);
	// Events whose thread is not known share a track that is no thread's.
	bool is_thread = tid != UINT32_MAX;
	int is_new = is_thread ? remember(perfetto, tid) : !perfetto->described_nobody;

	if (is_new < 0)
		return frec__error(reterr, is_new, "out of memory");
	track.has_uuid = true;
	*ret_uuid = track.uuid = TRACK_OF_THREAD | tid;
	if (!is_new)
		return 0;
	if (is_thread) {
		thread.has_pid = thread.has_tid = true;
		thread.pid = (int32_t)(who ? who->process->pid : pid == UINT32_MAX ? tid : pid);
		thread.tid = tid;
		if (name.len)
			thread.thread_name =
				frec__arena_utf8(&perfetto->arena, name.data, name.len, "");
		track.thread = &thread;
	} else {
		perfetto->described_nobody = true;
		track.name = "unknown thread";
	}
	packet.track_descriptor = &track;
	return frec__perfetto_write(perfetto, &packet, reterr);
}

// The names of a source, to go with its first event.
static Perfetto__Protos__InternedData *intern(struct frec_arena *arena,
					      const Flightrec__Source *source, size_t index,
					      uint64_t annotation_iid)
{
	Perfetto__Protos__InternedData *data = frec__arena_alloc(arena, sizeof(*data));
	Perfetto__Protos__EventCategory *category = frec__arena_alloc(arena, sizeof(*category));
	Perfetto__Protos__EventName *name = frec__arena_alloc(arena, sizeof(*name));
	Perfetto__Protos__DebugAnnotationName *annotations =
		frec__arena_array(arena, source->n_field, sizeof(*annotations));
	void **pointers = frec__arena_array(arena, source->n_field + 2, sizeof(*pointers));

	if (!data || !category || !name || !annotations || !pointers)
		return NULL;
	perfetto__protos__interned_data__init(data);
	perfetto__protos__event_category__init(category);
	category->has_iid = true;
	category->iid = index + 1;
	category->name = frec__arena_string(arena, source->system);
	perfetto__protos__event_name__init(name);
	name->has_iid = true;
	name->iid = index + 1;
	name->name = frec__arena_string(arena, source->name);
	pointers[0] = category;
	pointers[1] = name;
	data->event_categories = (Perfetto__Protos__EventCategory **)&pointers[0];
	data->n_event_categories = 1;
	data->event_names = (Perfetto__Protos__EventName **)&pointers[1];
	data->n_event_names = 1;
	for (size_t i = 0; i < source->n_field; i++) {
		perfetto__protos__debug_annotation_name__init(&annotations[i]);
		annotations[i].has_iid = true;
		annotations[i].iid = annotation_iid + i;
		annotations[i].name = frec__arena_string(arena, source->field[i]->name);
		pointers[2 + i] = &annotations[i];
	}
	data->debug_annotation_names = (Perfetto__Protos__DebugAnnotationName **)&pointers[2];
	data->n_debug_annotation_names = source->n_field;
	return data;
}

static int write_instant(struct frec_perfetto *perfetto, const struct frec_event *event,
			 uint64_t callstack_iid, struct frec_error *reterr)
{
	const struct frec_record *record = event->record;
	struct frec_perfetto_source *source = &perfetto->sources[record->source_index];
	Perfetto__Protos__InternedData *interned = NULL;
	uint64_t track;
	int result;

	result = frec__perfetto_track(perfetto, record->pid, record->tid, event->who, &track,
				      reterr);
	if (result)
		return result;
	if (!source->interned) {
		interned = intern(&perfetto->arena, record->source, record->source_index,
				  source->annotation_iid);
		if (!interned)
			return frec__error(reterr, -ENOMEM, "out of memory");
		source->interned = true;
	}
	result = frec__perfetto_write_event(perfetto, event, track, callstack_iid, interned,
					    reterr);
	if (interned)
		frec__arena_reset(&perfetto->arena);
	return result;
}

static int event(void *state, const struct frec_event *event, struct frec_error *reterr)
{
	const struct frec_call_stack *stack = frec__event_stack(event);
	const struct frec_record *record = event->record;
	struct frec_perfetto *perfetto = state;
	uint64_t iid;
	int result = frec__perfetto_stack(perfetto, stack, &iid, reterr);

	if (result)
		return result;
	if (record->source->kind == FLIGHTREC__SOURCE_KIND__SOURCE_TRACEPOINT)
		result = frec__perfetto_write_ftrace(perfetto, event, reterr);
	else
		result = write_instant(perfetto, event, iid, reterr);
	if (!result && stack)
		result = frec__perfetto_write_sample(perfetto, record->time, record->cpu,
						     record->pid, record->tid, stack, iid, reterr);
	return result;
}

static void destroy(void *state)
{
	struct frec_perfetto *perfetto = state;

	frec__arena_free(&perfetto->arena);
	frec__perfetto_stacks_deinit(&perfetto->stacks);
	free(perfetto->sources);
	free(perfetto->described);
	free(perfetto->packed);
	free(perfetto);
}

static int write_preamble(struct frec_perfetto *perfetto, struct frec_error *reterr)
{
	int result = frec__perfetto_write_clocks(perfetto, reterr);

	if (!result)
		result = frec__perfetto_write_system(perfetto, reterr);
	if (!result)
		result = frec__perfetto_write_attributes(perfetto, reterr);
	if (!result)
		result = frec__perfetto_write_processes(perfetto, reterr);
	return result;
}

static int begin(const struct frec_export *context, void **ret_state, struct frec_error *reterr)
{
	const struct frec_snapshot *snapshot = context->snapshot;
	struct frec_perfetto *perfetto = calloc(1, sizeof(*perfetto));
	uint64_t annotation_iid = 1;
	int result;

	if (!perfetto)
		return frec__error(reterr, -ENOMEM, "out of memory");
	perfetto->context = context;
	perfetto->registers = frec__registers_find(snapshot->header->machine);
	perfetto->sources = calloc(snapshot->source_count + 1, sizeof(*perfetto->sources));
	if (!perfetto->sources) {
		destroy(perfetto);
		return frec__error(reterr, -ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < snapshot->source_count; i++) {
		perfetto->sources[i].annotation_iid = annotation_iid;
		annotation_iid += snapshot->sources[i]->n_field;
		frec__perfetto_find_known(&perfetto->sources[i], snapshot->sources[i]);
	}
	result = write_preamble(perfetto, reterr);
	if (result)
		destroy(perfetto);
	else
		*ret_state = perfetto;
	return result;
}

static int end(void *state, struct frec_error *reterr)
{
	struct frec_perfetto *perfetto = state;
	int result = frec__perfetto_write_trigger(perfetto, reterr);

	if (!result)
		result = frec__perfetto_write_crash(perfetto, reterr);
	return result ? result : frec__perfetto_write_threads(perfetto, reterr);
}

const struct frec_writer frec__writer_perfetto = {
	.name = "perfetto",
	.what = "for ui.perfetto.dev",
	.suffix = ".pftrace",
	.other_suffix = ".perfetto-trace",
	.begin = begin,
	.event = event,
	.end = end,
	.destroy = destroy,
};
