// SPDX-License-Identifier: MIT
// Measuring how much time the rings hold.
#include "recorder/history.h"

#include "proto/clocks.h"
#include "recorder/snapshot/records.h"
#include "recorder/snapshot/sample_parts.h"

static bool has_chosen_stacks(const struct frec_source *source)
{
	return frec__stack_any(&source->stack) && !frec__source_is_crash(source);
}

// Returns the share of stacks in the bytes of ring number `at`, from 0 to 1.
static double share_of_stacks(const struct frec_source_set *sources, size_t at)
{
	const struct frec_ring *ring = &sources->rings->ring[at];
	struct frec_capture *capture = &sources->rings->capture;
	uint64_t stacks = 0, all = 0;
	struct frec_ring_copy *copy;
	struct frec_id_map ids;
	size_t count;

	if (at >= capture->rings_room || frec__id_map_init(&ids, sources->source, sources->count))
		return 0;
	copy = &capture->copy[at];
	frec__ring_copy(ring, copy);
	// Without a grace period a few of the oldest records may be broken, which does not matter
	// for a statistic.
	frec__ring_copy_finish(ring, copy, true, 0);
	count = frec__records_find(copy, capture->offset, ring->size / FREC_RECORD_SIZE_MIN);
	for (size_t i = 0; i < count; i++) {
		const struct perf_event_header *record =
			(const void *)(copy->data + capture->offset[i]);
		int index = frec__id_map_find(&ids, frec__record_id(record));
		const struct frec_source *source = index < 0 ? NULL : &sources->source[index];

		all += record->size;
		if (source && has_chosen_stacks(source))
			stacks += frec__sample_stacks(source, record);
	}
	frec__id_map_deinit(&ids);
	return all ? (double)stacks / (double)all : 0;
}

void frec__history_read(const struct frec_source_set *sources, uint64_t since,
			struct frec_history *ret)
{
	size_t busiest;

	*ret = (struct frec_history){.written = frec__ring_set_written(sources->rings, &busiest),
				     .recording = (double)(frec__monotonic() - since) / 1e9};
	for (size_t i = 0; i < sources->count; i++) {
		ret->stacks |= has_chosen_stacks(&sources->source[i]);
		ret->stacks_missing += sources->source[i].stack_missing;
	}
	ret->held = ret->recording;
	if (!ret->written)
		return;
	ret->full = ret->without_stacks =
		ret->recording * (double)sources->rings->size / (double)ret->written;
	if (ret->full < ret->held)
		ret->held = ret->full;
	// No record consists of its stack alone, so the share stays below 1.
	if (ret->stacks)
		ret->without_stacks = ret->full / (1 - share_of_stacks(sources, busiest));
}
