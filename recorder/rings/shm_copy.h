/* SPDX-License-Identifier: MIT */
/* Copies of the rings that services write, and the whole records in them. Nothing here allocates
 * memory. */
#ifndef FREC_RECORDER_RINGS_SHM_COPY_H
#define FREC_RECORDER_RINGS_SHM_COPY_H

#include "recorder/rings/ring.h"

/* The parts of a copy that hold no whole record, because a record there was never completed or a
 * stray write overwrote it. */
struct frec_shm_damage {
	uint64_t regions, bytes;
};

/* Returns how many bytes were ever written into a ring, according to its position, which services
 * can falsify. */
uint64_t frec__shm_written(const struct frec_shm_rings *rings, size_t ring);

/* Does what frec__ring_copy() does, for one ring of `rings`. */
void frec__shm_copy(const struct frec_shm_rings *rings, size_t ring, struct frec_ring_copy *copy);

/*
 * Does what frec__ring_copy_finish() does: leaves only the whole records of known events in the
 * copy, one directly after the other, newest first, for frec__records_find(). Must be called only
 * once for each copy.
 */
void frec__shm_copy_finish(const struct frec_shm_rings *rings, struct frec_ring_copy *copy,
			   struct frec_shm_damage *ret);

#endif
