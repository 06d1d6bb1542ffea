/* SPDX-License-Identifier: MIT */
/* Merges the samples of a snapshot's rings in order of time. One chunk of each ring is in memory;
 * if that would exceed FREC_LIMIT_RINGS, only a part of one chunk of each ring. */
#ifndef FREC_EXPORT_TIMELINE_MERGE_H
#define FREC_EXPORT_TIMELINE_MERGE_H

#include "export/read/records.h"

struct frec_merge_ring {
	uint32_t cpu, number;
	/* positions in frec_merge.order of this ring's next chunk and the end of its chunks */
	size_t next_chunk, end_chunk;
	const struct frec_chunk_view *chunk; /* the chunk in memory */
	struct frec_chunk_data data;	     /* the chunk, or a part of it: see frec_merge.window */
	size_t start;			     /* where in the chunk that part begins */
	size_t at;		   /* where in the chunk the record after `record` begins */
	struct frec_record record; /* the ring's next record */
};

/* A ring and the time of its next record. Rings are compared by these times. */
struct frec_merge_head {
	uint64_t time;
	struct frec_merge_ring *ring;
};

struct frec_merge {
	struct frec_snapshot *snapshot;
	struct frec_merge_ring *rings; /* sorted by CPU and number */
	/* indices in snapshot->chunks, sorted by ring; those of one ring are in the order of the
	 * file */
	uint32_t *order;
	struct frec_merge_head *heap;
	size_t ring_count, heap_size;
	/* Chunks that have no records between these times (CLOCK_MONOTONIC) are skipped. The times
	 * can be set before the first call of frec__merge_next(); by default nothing is skipped. */
	uint64_t from, to;
	uint64_t bytes_done, bytes_total; /* of the file's chunks, for a progress bar */
	uint64_t unknown; /* samples left out because the file does not describe their source */
	/* The first thing that could not be read (code 0: none). Records before and after it are
	 * returned. */
	struct frec_error problem;
	bool started;
	/* 0 if FREC_LIMIT_RINGS has room for the largest chunk of each ring. Otherwise each ring
	 * holds about this many bytes of a chunk at a time, and the chunk is read again to get the
	 * bytes after them. */
	size_t window;
	uint64_t window_bytes_left;   /* what is left of FREC_LIMIT_WINDOWS */
	struct frec_chunk_data whole; /* the chunk that was read last, if `window` is not 0 */
	const struct frec_chunk_view *whole_chunk;
};

/* Returns 0 or -ENOMEM. The snapshot must outlive the merge. */
int frec__merge_init(struct frec_merge *merge, struct frec_snapshot *snapshot);

/* Returns the next sample, valid until the next call, or NULL at the end. Its `source` is never
 * NULL. */
const struct frec_record *frec__merge_next(struct frec_merge *merge);

/* Returns the number of the ring from which the last sample came. May be called only after
 * frec__merge_next() has returned a sample. */
static inline uint32_t frec__merge_ring(const struct frec_merge *merge)
{
	return merge->heap[0].ring->number;
}

/* Frees everything. `merge` may be all zeroes. */
void frec__merge_deinit(struct frec_merge *merge);

#endif
