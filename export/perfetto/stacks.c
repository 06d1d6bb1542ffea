// SPDX-License-Identifier: MIT
// Writes call stacks as interned data: names, frames and stacks are in the trace once each, before
// the first event that refers to them. Readers merge frames with the same module, address and name.
#include "export/perfetto/stacks.h"

#include <errno.h>
#include <stdlib.h>

#include "export/perfetto/packet.h"

// The path by which readers recognise the kernel.
#define KERNEL_PATH "/kernel"

enum { CPU_MODE_KERNEL = 1, CPU_MODE_USER = 2 };

// There are as many samples as events with stacks, so they are packed by hand as well. These are
// field numbers, like those in packet.h.
enum {
	SAMPLE_CPU = 1,
	SAMPLE_PID = 2,
	SAMPLE_TID = 3,
	SAMPLE_CALLSTACK_IID = 4,
	SAMPLE_CPU_MODE = 5,
	SAMPLE_TIMEBASE_COUNT = 6,
	SAMPLE_UNWIND_ERROR = 16,
};

// The most bytes that a sample's packet takes.
#define SAMPLE_PACKET_MAX 256

void frec__perfetto_stacks_deinit(struct frec_perfetto_stacks *stacks)
{
	free(stacks->stacks.entries);
	free(stacks->codes.entries);
	free(stacks->locations.entries);
	*stacks = (struct frec_perfetto_stacks){0};
}

static uint64_t *iid_of(struct frec_by_id *iids, uint32_t id)
{
	return frec__by_id(iids, id, sizeof(uint64_t));
}

static Perfetto__Protos__InternedString *string(struct frec_arena *arena, uint64_t iid,
						const void *data, size_t size)
{
	Perfetto__Protos__InternedString *ret = frec__arena_alloc(arena, sizeof(*ret));

	if (!ret)
		return NULL;
	perfetto__protos__interned_string__init(ret);
	ret->has_iid = ret->has_str = true;
	ret->iid = iid;
	ret->str.data = (uint8_t *)(uintptr_t)data;
	ret->str.len = size;
	return ret;
}

static Perfetto__Protos__InternedString *text(struct frec_arena *arena, uint64_t iid,
					      const char *name)
{
	const char *valid = frec__arena_string(arena, name);

	return string(arena, iid, valid, strlen(valid));
}

static int write_interned(struct frec_perfetto *perfetto, Perfetto__Protos__InternedData *data,
			  struct frec_error *reterr)
{
	Perfetto__Protos__TracePacket packet = PERFETTO__PROTOS__TRACE_PACKET__INIT;

	packet.interned_data = data;
	return frec__perfetto_write(perfetto, &packet, reterr);
}

static int write_code(struct frec_perfetto *perfetto, const struct frec_code *code, uint64_t iid,
		      struct frec_error *reterr)
{
	Perfetto__Protos__InternedData data = PERFETTO__PROTOS__INTERNED_DATA__INIT;
	Perfetto__Protos__Mapping mapping = PERFETTO__PROTOS__MAPPING__INIT, *mappings = &mapping;
	Perfetto__Protos__InternedString *path, *build_id;
	bool is_kernel = !strcmp(code->path, "[kernel]");

	path = text(&perfetto->arena, iid, is_kernel ? KERNEL_PATH : code->path);
	build_id = string(&perfetto->arena, iid, code->build_id, code->build_id_size);
	mapping.has_iid = true;
	mapping.iid = iid;
	mapping.path_string_ids = &iid;
	mapping.n_path_string_ids = 1;
	if (!code->kernel) {
		mapping.has_start = mapping.has_end = true;
		mapping.start = code->start;
		mapping.end = code->end;
		mapping.has_start_offset = mapping.has_exact_offset = true;
		mapping.start_offset = mapping.exact_offset = code->offset;
	}
	data.mappings = &mappings;
	data.n_mappings = 1;
	data.mapping_paths = &path;
	data.n_mapping_paths = 1;
	if (code->build_id_size) {
		mapping.has_build_id = true;
		mapping.build_id = iid;
		data.build_ids = &build_id;
		data.n_build_ids = 1;
	}
	return write_interned(perfetto, &data, reterr);
}

// Writes a frame for each function of a location, the outermost first, as in Perfetto's call
// stacks. The interned name and file of a frame get the frame's number.
static int write_location(struct frec_perfetto *perfetto, const struct frec_location *location,
			  uint64_t iid, struct frec_error *reterr)
{
	Perfetto__Protos__InternedData data = PERFETTO__PROTOS__INTERNED_DATA__INIT;
	size_t count = location->names.count ? location->names.count : 1;
	struct frec_arena *arena = &perfetto->arena;
	uint64_t *code = NULL;
	int r = 0;

	if (location->code) {
		code = iid_of(&perfetto->stacks.codes, location->code->id);
		if (!code)
			return frec__error(reterr, -ENOMEM, "out of memory");
		if (!*code) {
			*code = location->code->id + 1;
			r = write_code(perfetto, location->code, *code, reterr);
		}
	}
	if (r)
		return r;
	data.frames = frec__arena_array(arena, count, sizeof(*data.frames));
	data.function_names = frec__arena_array(arena, count, sizeof(*data.function_names));
	data.source_paths = frec__arena_array(arena, count, sizeof(*data.source_paths));
	for (size_t i = 0; i < count && !arena->failed; i++) {
		Perfetto__Protos__Frame *frame = frec__arena_alloc(arena, sizeof(*frame));
		const struct frec_name *name =
			location->names.count ? &location->names.names[count - 1 - i] : NULL;

		if (!frame)
			break;
		perfetto__protos__frame__init(frame);
		data.frames[data.n_frames++] = frame;
		frame->has_iid = frame->has_rel_pc = true;
		frame->iid = iid + i;
		frame->rel_pc = location->address;
		if (code) {
			frame->has_mapping_id = true;
			frame->mapping_id = *code;
		}
		if (name && name->function) {
			frame->has_function_name_id = true;
			frame->function_name_id = iid + i;
			data.function_names[data.n_function_names++] =
				text(arena, iid + i, name->function);
		}
		if (name && name->file) {
			frame->has_source_path_iid = true;
			frame->source_path_iid = iid + i;
			frame->has_line_number = name->line != 0;
			frame->line_number = name->line;
			data.source_paths[data.n_source_paths++] = text(arena, iid + i, name->file);
		}
	}
	return write_interned(perfetto, &data, reterr);
}

// Writes the stack's locations that are not in the trace yet. Returns how many frames the stack
// has, or a negative errno.
static int64_t write_locations(struct frec_perfetto *perfetto, const struct frec_call_stack *stack,
			       struct frec_error *reterr)
{
	int64_t frames = 0;

	for (size_t i = 0; i < stack->count; i++) {
		const struct frec_location *location = stack->locations[i];
		size_t functions = location->names.count ? location->names.count : 1;
		uint64_t *iid = iid_of(&perfetto->stacks.locations, location->id);
		int r = 0;

		if (!iid)
			return frec__error(reterr, -ENOMEM, "out of memory");
		frames += (int64_t)functions;
		if (*iid)
			continue;
		*iid = perfetto->stacks.next_frame + 1;
		perfetto->stacks.next_frame += functions;
		r = write_location(perfetto, location, *iid, reterr);
		if (r)
			return r;
	}
	return frames;
}

static int write_stack(struct frec_perfetto *perfetto, const struct frec_call_stack *stack,
		       uint64_t iid, struct frec_error *reterr)
{
	Perfetto__Protos__InternedData data = PERFETTO__PROTOS__INTERNED_DATA__INIT;
	Perfetto__Protos__Callstack callstack = PERFETTO__PROTOS__CALLSTACK__INIT;
	Perfetto__Protos__Callstack *callstacks = &callstack;
	int64_t frames = write_locations(perfetto, stack, reterr);

	if (frames < 0)
		return (int)frames;
	callstack.has_iid = true;
	callstack.iid = iid;
	callstack.frame_ids =
		frec__arena_array(&perfetto->arena, (size_t)frames, sizeof(*callstack.frame_ids));
	for (size_t i = stack->count; i-- > 0 && callstack.frame_ids;) {
		const struct frec_location *location = stack->locations[i];
		size_t functions = location->names.count ? location->names.count : 1;

		for (size_t k = 0; k < functions; k++)
			callstack.frame_ids[callstack.n_frame_ids++] =
				*iid_of(&perfetto->stacks.locations, location->id) + k;
	}
	data.callstacks = &callstacks;
	data.n_callstacks = 1;
	return write_interned(perfetto, &data, reterr);
}

int frec__perfetto_stack(struct frec_perfetto *perfetto, const struct frec_call_stack *stack,
			 uint64_t *ret_iid, struct frec_error *reterr)
{
	uint64_t *iid;
	int r = 0;

	*ret_iid = 0;
	if (!stack)
		return 0;
	iid = iid_of(&perfetto->stacks.stacks, stack->id);
	if (!iid)
		return frec__error(reterr, -ENOMEM, "out of memory");
	if (!*iid) {
		r = write_stack(perfetto, stack, stack->id + 1, reterr);
		*iid = stack->id + 1;
	}
	*ret_iid = *iid;
	return r;
}

static uint32_t unwind_error(enum frec_unwind_reason end)
{
	switch (end) {
	case FREC_UNWIND_COMPLETE:
		return 0;
	case FREC_UNWIND_NO_CFI:
	case FREC_UNWIND_BAD_CFI:
		return 3;
	case FREC_UNWIND_LIMIT:
		return 6;
	case FREC_UNWIND_LOOP:
		return 7;
	default:
		return 2;
	}
}

int frec__perfetto_write_sample(struct frec_perfetto *perfetto,
				const struct frec_perfetto_sample *sample,
				struct frec_error *reterr)
{
	const struct frec_code *code = sample->stack->locations[0]->code;
	uint32_t error = unwind_error(sample->stack->end);
	uint8_t *data = frec__perfetto_room(perfetto, SAMPLE_PACKET_MAX, reterr);
	uint8_t *packet, *start, *p;

	if (!data)
		return -ENOMEM;
	packet = frec__pack_begin(data, TRACE_PACKET);
	p = frec__packet_begin(packet, perfetto, sample->time);
	p = frec__pack_number(p, PACKET_SEQUENCE_FLAGS, FREC_PERFETTO_NEEDS_STATE);
	start = frec__pack_begin(p, PACKET_PERF_SAMPLE);
	p = sample->cpu == FREC_UNKNOWN ? start : frec__pack_number(start, SAMPLE_CPU, sample->cpu);
	p = frec__pack_number(p, SAMPLE_PID, sample->pid);
	p = frec__pack_number(p, SAMPLE_TID, sample->tid);
	p = frec__pack_number(p, SAMPLE_CALLSTACK_IID, sample->iid);
	p = frec__pack_number(p, SAMPLE_CPU_MODE,
			      code && code->kernel ? CPU_MODE_KERNEL : CPU_MODE_USER);
	p = frec__pack_number(p, SAMPLE_TIMEBASE_COUNT, 1);
	if (error)
		p = frec__pack_number(p, SAMPLE_UNWIND_ERROR, error);
	p = frec__pack_end(start, p);
	p = frec__packet_machine(p, perfetto->host);
	return frec__perfetto_flush(perfetto, frec__pack_end(packet, p), reterr);
}

static int write_thread(struct frec_perfetto *perfetto, const struct frec_timeline_file *file,
			const Flightrec__ThreadStack *thread, struct frec_error *reterr)
{
	const struct frec_call_stack *stack = frec__stacks_of_thread(file->events.stacks, thread);
	uint64_t time = thread->time + file->host->shift;
	Perfetto__Protos__TracePacket packet = PERFETTO__PROTOS__TRACE_PACKET__INIT;
	Perfetto__Protos__TrackEvent instant = PERFETTO__PROTOS__TRACK_EVENT__INIT;
	char *category = "flightrec";
	int r;

	r = frec__perfetto_stack(perfetto, stack, &instant.callstack_iid, reterr);
	if (!r)
		r = frec__perfetto_track(
			perfetto, thread->pid, thread->tid,
			frec__processes_find(&file->events.processes, thread->tid, thread->time),
			&instant.track_uuid, reterr);
	if (r || !stack)
		return r;
	instant.name = "stack at the death of the process";
	instant.categories = &category;
	instant.n_categories = 1;
	instant.has_track_uuid = instant.has_type = instant.has_callstack_iid = true;
	instant.type = PERFETTO__PROTOS__TRACK_EVENT__TYPE__TYPE_INSTANT;
	packet.has_timestamp = true;
	packet.timestamp = time;
	packet.track_event = &instant;
	r = frec__perfetto_write(perfetto, &packet, reterr);
	if (r)
		return r;
	return frec__perfetto_write_sample(perfetto,
					   &(struct frec_perfetto_sample){
						   .time = time,
						   .pid = thread->pid,
						   .tid = thread->tid,
						   .stack = stack,
						   .iid = instant.callstack_iid,
					   },
					   reterr);
}

int frec__perfetto_write_threads(struct frec_perfetto *perfetto,
				 const struct frec_timeline_file *file, struct frec_error *reterr)
{
	const struct frec_snapshot *snapshot = file->events.snapshot;
	const Flightrec__Crash *crash = snapshot->crash;
	int r = 0;

	for (size_t i = 0; i < snapshot->thread_stack_count && !r; i++) {
		const Flightrec__ThreadStack *thread = snapshot->thread_stacks[i];

		// The stack of the thread that crashed has already been written with the crash.
		if (!crash || thread->pid != crash->pid || thread->tid != crash->tid)
			r = write_thread(perfetto, file, thread, reterr);
	}
	return r;
}
