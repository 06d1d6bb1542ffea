// SPDX-License-Identifier: MIT
// A k-way merge. Within a ring, records keep the ring's order, even if their times are not in that
// order: a record that an interrupt made comes before the record that was interrupted, although its
// time is later. The interrupted record then follows immediately.
#include "export/timeline/merge.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "export/read/eventheader.h"

static int compare_rings(const void *a, const void *b)
{
	const struct frec_merge_ring *x = a, *y = b;

	if (x->cpu != y->cpu)
		return (x->cpu > y->cpu) - (x->cpu < y->cpu);
	return (x->number > y->number) - (x->number < y->number);
}

int frec__merge_init(struct frec_merge *merge, struct frec_snapshot *snapshot)
{
	struct frec_merge_ring *rings = calloc(snapshot->chunk_count + 1, sizeof(*rings));
	size_t count = 0;

	*merge = (struct frec_merge){.snapshot = snapshot, .rings = rings, .to = UINT64_MAX};
	if (!rings)
		return -ENOMEM;
	for (size_t i = 0; i < snapshot->chunk_count; i++) {
		rings[i] = (struct frec_merge_ring){.cpu = snapshot->chunks[i].cpu,
						    .number = snapshot->chunks[i].ring};
		merge->bytes_total += snapshot->chunks[i].part_size;
	}
	qsort(rings, snapshot->chunk_count, sizeof(*rings), compare_rings);
	for (size_t i = 0; i < snapshot->chunk_count; i++) {
		if (!count || compare_rings(&rings[count - 1], &rings[i]))
			rings[count++] = rings[i];
	}
	merge->ring_count = count;
	merge->heap = calloc(count + 1, sizeof(*merge->heap));
	if (!merge->heap) {
		frec__merge_deinit(merge);
		return -ENOMEM;
	}
	return 0;
}

void frec__merge_deinit(struct frec_merge *merge)
{
	for (size_t i = 0; i < merge->ring_count; i++)
		free(merge->rings[i].data.data);
	free(merge->rings);
	free(merge->heap);
	merge->rings = NULL;
	merge->heap = NULL;
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

static bool next_chunk(struct frec_merge *merge, struct frec_merge_ring *ring)
{
	const struct frec_snapshot *snapshot = merge->snapshot;
	struct frec_error *problem = merge->problem.code ? NULL : &merge->problem;

	while (ring->next_chunk < snapshot->chunk_count) {
		ring->chunk = &snapshot->chunks[ring->next_chunk++];
		if (ring->chunk->cpu != ring->cpu || ring->chunk->ring != ring->number)
			continue;
		merge->bytes_done += ring->chunk->part_size;
		if (ring->chunk->last < merge->from || ring->chunk->first > merge->to)
			continue;
		ring->at = 0;
		if (!frec__snapshot_read_chunk(merge->snapshot, ring->chunk, &ring->data, problem))
			return true;
	}
	return false;
}

// Finds the ring's next sample of a known source. Returns false if the ring has no more.
static bool advance(struct frec_merge *merge, struct frec_merge_ring *ring)
{
	const struct frec_snapshot *snapshot = merge->snapshot;

	for (;;) {
		int r = frec__record_next(snapshot,
					  ring->data.size ? ring->data.data + ring->at : NULL,
					  ring->data.size - ring->at, &ring->record);

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
