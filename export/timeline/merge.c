// SPDX-License-Identifier: MIT
// A k-way merge. Within a ring, records keep the ring's order, even if their times are not in that
// order: a record that an interrupt made comes before the record that was interrupted, although its
// time is later. The interrupted record then follows immediately.
#include "export/timeline/merge.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

#include "export/read/eventheader.h"
#include "proto/grow.h"

static int compare_chunks(const void *a, const void *b, void *data)
{
	const struct frec_chunk_view *chunks = data;
	const uint32_t *i = a, *k = b;
	const struct frec_chunk_view *x = &chunks[*i], *y = &chunks[*k];

	if (x->cpu != y->cpu)
		return (x->cpu > y->cpu) - (x->cpu < y->cpu);
	if (x->ring != y->ring)
		return (x->ring > y->ring) - (x->ring < y->ring);
	return (*i > *k) - (*i < *k);
}

// Finds the rings among the chunks. Returns 0 or -ENOMEM.
static int find_rings(struct frec_merge *merge)
{
	const struct frec_snapshot *snapshot = merge->snapshot;
	uint64_t memory = 0, most = 0;

	merge->order = calloc(snapshot->chunk_count + 1, sizeof(*merge->order));
	if (!merge->order)
		return -ENOMEM;
	for (size_t i = 0; i < snapshot->chunk_count; i++) {
		merge->order[i] = (uint32_t)i;
		merge->bytes_total += snapshot->chunks[i].part_size;
	}
	qsort_r(merge->order, snapshot->chunk_count, sizeof(*merge->order), compare_chunks,
		snapshot->chunks);
	for (size_t i = 0; i < snapshot->chunk_count; i++) {
		const struct frec_chunk_view *chunk = &snapshot->chunks[merge->order[i]];
		struct frec_merge_ring *ring =
			merge->ring_count ? &merge->rings[merge->ring_count - 1] : NULL;

		if (!ring || ring->cpu != chunk->cpu || ring->number != chunk->ring) {
			if (!frec__grow(&merge->rings, merge->ring_count, sizeof(*ring)))
				return -ENOMEM;
			ring = &merge->rings[merge->ring_count++];
			*ring = (struct frec_merge_ring){
				.cpu = chunk->cpu, .number = chunk->ring, .next_chunk = i};
			memory += most;
			most = 0;
		}
		ring->end_chunk = i + 1;
		most = chunk->size > most ? chunk->size : most;
	}
	memory += most;
	if (memory > FREC_LIMIT_RINGS(snapshot->reader.size))
		merge->window = FREC_LIMIT_RINGS(snapshot->reader.size) / merge->ring_count;
	merge->window_bytes_left = FREC_LIMIT_WINDOWS(snapshot->reader.size);
	return 0;
}

int frec__merge_init(struct frec_merge *merge, struct frec_snapshot *snapshot)
{
	int r;

	*merge = (struct frec_merge){.snapshot = snapshot, .to = UINT64_MAX};
	r = find_rings(merge);
	if (!r) {
		merge->heap = calloc(merge->ring_count + 1, sizeof(*merge->heap));
		r = merge->heap ? 0 : -ENOMEM;
	}
	if (r)
		frec__merge_deinit(merge);
	return r;
}

void frec__merge_deinit(struct frec_merge *merge)
{
	for (size_t i = 0; i < merge->ring_count; i++)
		free(merge->rings[i].data.data);
	free(merge->rings);
	free(merge->order);
	free(merge->heap);
	free(merge->whole.data);
	merge->rings = NULL;
	merge->order = NULL;
	merge->heap = NULL;
	merge->whole = (struct frec_chunk_data){0};
	merge->ring_count = merge->heap_size = 0;
}

// Returns whether `a` comes before `b`. If the times are equal, the order is that of the rings. The
// code has no branch, because the processor could not predict it.
static bool before(const struct frec_merge_head *a, const struct frec_merge_head *b)
{
	return (a->time < b->time) | ((a->time == b->time) & (a->ring < b->ring));
}

static void sift_down(struct frec_merge *merge, size_t i)
{
	struct frec_merge_head *heap = merge->heap, sinking = heap[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child + 1 < merge->heap_size)
			child += before(&heap[child + 1], &heap[child]);
		if (child >= merge->heap_size || !before(&heap[child], &sinking))
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = sinking;
}

// Sets the ring's window so that it begins with the record at ring->at and holds that record whole.
// Returns false if the chunk cannot be read, if it may not be read again because of
// FREC_LIMIT_WINDOWS, or if memory runs out.
static bool move_window(struct frec_merge *merge, struct frec_merge_ring *ring)
{
	struct frec_error *problem = merge->problem.code ? NULL : &merge->problem;
	struct perf_event_header header = {0};
	struct frec_chunk_data *whole = &merge->whole;
	size_t left, size;

	ring->start = ring->at;
	ring->data.size = 0;
	if (merge->whole_chunk != ring->chunk) {
		if (ring->chunk->size > merge->window_bytes_left) {
			if (problem)
				frec__error(problem, -E2BIG,
					    "%s: byte %" PRIu64 ", record byte %zu: this file has "
					    "too many rings for its size; the rest of this part "
					    "was not read",
					    merge->snapshot->name, ring->chunk->offset, ring->at);
			return false;
		}
		merge->window_bytes_left -= ring->chunk->size;
		merge->whole_chunk = NULL;
		if (frec__snapshot_read_chunk(merge->snapshot, ring->chunk, whole, problem))
			return false;
		merge->whole_chunk = ring->chunk;
	}
	left = whole->size > ring->at ? whole->size - ring->at : 0;
	if (left >= sizeof(header))
		memcpy(&header, whole->data + ring->at, sizeof(header));
	size = header.size > merge->window ? header.size : merge->window;
	size = size < left ? size : left;
	if (size > ring->data.capacity) {
		uint8_t *data = realloc(ring->data.data, size);

		if (!data) {
			if (problem)
				frec__error(problem, -ENOMEM, "%s: out of memory",
					    merge->snapshot->name);
			return false;
		}
		ring->data.data = data;
		ring->data.capacity = size;
	}
	if (size)
		memcpy(ring->data.data, whole->data + ring->at, size);
	ring->data.size = size;
	return true;
}

// Returns whether the window ends before the chunk does, and before the record at ring->at ends.
static bool leaves_window(const struct frec_merge_ring *ring)
{
	size_t left = ring->start + ring->data.size - ring->at;
	struct perf_event_header header;

	if (ring->start + ring->data.size >= ring->chunk->size)
		return false;
	if (left < sizeof(header))
		return true;
	memcpy(&header, ring->data.data + (ring->at - ring->start), sizeof(header));
	return header.size > left;
}

static bool next_chunk(struct frec_merge *merge, struct frec_merge_ring *ring)
{
	const struct frec_snapshot *snapshot = merge->snapshot;
	struct frec_error *problem = merge->problem.code ? NULL : &merge->problem;

	while (ring->next_chunk < ring->end_chunk) {
		ring->chunk = &snapshot->chunks[merge->order[ring->next_chunk++]];
		merge->bytes_done += ring->chunk->part_size;
		if (ring->chunk->last < merge->from || ring->chunk->first > merge->to)
			continue;
		ring->at = ring->start = 0;
		if (merge->window ? move_window(merge, ring)
				  : !frec__snapshot_read_chunk(merge->snapshot, ring->chunk,
							       &ring->data, problem))
			return true;
	}
	ring->data.size = 0;
	return false;
}

// Finds the ring's next sample of a known source. Returns false if the ring has no more.
static bool advance(struct frec_merge *merge, struct frec_merge_ring *ring)
{
	const struct frec_snapshot *snapshot = merge->snapshot;

	for (;;) {
		size_t at, left;
		int r;

		if (merge->window && ring->data.size && leaves_window(ring))
			move_window(merge, ring);
		at = ring->at - ring->start;
		left = ring->data.size > at ? ring->data.size - at : 0;
		r = frec__record_next(snapshot, left ? ring->data.data + at : NULL, left,
				      &ring->record);
		if ((r == -EBADMSG || r == -EPROTO) && !merge->problem.code)
			frec__error(&merge->problem, r,
				    "%s: byte %" PRIu64 ": in these records of CPU %" PRIu32
				    ", byte %zu is %s",
				    merge->snapshot->name, ring->chunk->offset, ring->cpu, ring->at,
				    r == -EBADMSG
					    ? "not a record; the rest of this part was not read"
					    : "a record that does not match its source; it was "
					      "left out");
		if (r == -ENODATA || r == -EBADMSG) {
			if (!next_chunk(merge, ring))
				return false;
			continue;
		}
		ring->at += ring->record.size;
		if (r || !ring->record.sample)
			continue;
		if (snapshot->eventheader)
			frec__eventheader_translate(snapshot, &ring->record);
		if (!ring->record.source) {
			if (!merge->unknown++ && !merge->problem.code)
				frec__error(&merge->problem, -EBADMSG,
					    "%s: byte %" PRIu64
					    ": the file does not describe source %" PRIu64
					    ", to which a record belongs; it was left out",
					    merge->snapshot->name, ring->chunk->offset,
					    ring->record.source_id);
			continue;
		}
		return true;
	}
}

static void start(struct frec_merge *merge)
{
	merge->started = true;
	for (size_t i = 0; i < merge->ring_count; i++) {
		struct frec_merge_ring *ring = &merge->rings[i];

		if (advance(merge, ring))
			merge->heap[merge->heap_size++] =
				(struct frec_merge_head){ring->record.time, ring};
	}
	for (size_t i = merge->heap_size; i-- > 0;)
		sift_down(merge, i);
}

const struct frec_record *frec__merge_next(struct frec_merge *merge)
{
	struct frec_merge_head *first = merge->heap;

	if (!merge->started) {
		start(merge);
	} else if (merge->heap_size) {
		// The ring of the last sample is still at the top of the heap, because that sample
		// had to stay valid until now.
		if (advance(merge, first->ring))
			first->time = first->ring->record.time;
		else
			*first = merge->heap[--merge->heap_size];
		if (merge->heap_size)
			sift_down(merge, 0);
	}
	return merge->heap_size ? &first->ring->record : NULL;
}
