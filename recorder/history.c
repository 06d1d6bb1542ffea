// SPDX-License-Identifier: MIT
// Measuring rings.
#include "recorder/history.h"

#include "proto/clocks.h"
#include "recorder/snapshot/records.h"
#include "recorder/snapshot/sample_parts.h"

static bool has_chosen_stacks(const struct frec_source *source)
{
	return frec__stack_any(&source->stack) && !frec__source_is_crash(source);
}

// Which part of a ring's bytes are stacks, from 0 to 1.
static double share_of_stacks(struct frec_engine *engine, size_t ring)
{
	struct frec_capture *capture = &engine->capture;
	uint64_t stacks = 0, all = 0;
	struct frec_ring_copy *copy;
	struct frec_id_map ids;
	size_t count;

	// What services write has none.
	if (engine->ring[ring].shm || ring >= capture->rings_room ||
	    frec__id_map_init(&ids, engine->source, engine->source_count))
		return 0;
	copy = &capture->copy[ring];
	frec__ring_copy(&engine->ring[ring], copy);
	// A few records at the old end may be broken; this is a statistic, and not worth a grace
	// period.
	frec__ring_copy_finish(&engine->ring[ring], copy, true, 0);
	count = frec__records_find(copy, capture->offset,
				   engine->ring[ring].size / FREC_RECORD_SIZE_MIN);
	for (size_t i = 0; i < count; i++) {
		const struct perf_event_header *record =
			(const void *)(copy->data + capture->offset[i]);
		int source = frec__id_map_find(&ids, frec__record_id(record));

		all += record->size;
		if (source >= 0 && has_chosen_stacks(&engine->source[source]))
			stacks += frec__sample_stacks(&engine->source[source], record);
	}
	frec__id_map_deinit(&ids);
	return all ? (double)stacks / (double)all : 0;
}

void frec__history_read(struct frec_engine *engine, struct frec_history *ret)
{
	double size = (double)engine->options.ring_size;
	size_t busiest = 0;

	*ret = (struct frec_history){
		.recording = (double)(frec__monotonic() - engine->recording_since) / 1e9};
	for (size_t i = 0; i < engine->ring_count; i++) {
		uint64_t written = frec__ring_written(&engine->ring[i]);

		if (written > ret->written) {
			ret->written = written;
			busiest = i;
		}
	}
	for (size_t i = 0; i < engine->source_count; i++) {
		ret->stacks |= has_chosen_stacks(&engine->source[i]);
		ret->stacks_missing += engine->source[i].stack_missing;
	}
	ret->held = ret->recording;
	if (!ret->written)
		return;
	ret->full = ret->without_stacks = ret->recording * size / (double)ret->written;
	if (ret->full < ret->held)
		ret->held = ret->full;
	// No record is all stack, so the share stays below 1.
	if (ret->stacks)
		ret->without_stacks = ret->full / (1 - share_of_stacks(engine, busiest));
}
