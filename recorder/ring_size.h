/* SPDX-License-Identifier: MIT */
/*
 * The size of the rings if no option sets it. A recorder takes its memory from the machine, or from
 * the container that it shares with the service. In a container, the default rings fit into an
 * eighth of the memory limit.
 */
#ifndef FREC_RECORDER_RING_SIZE_H
#define FREC_RECORDER_RING_SIZE_H

#include <stdint.h>

#define FREC_RING_SIZE_DEFAULT (4u << 20)

/* What limits the memory and the files of a recorder; UINT64_MAX: nothing does. */
struct frec_ring_bounds {
	uint64_t memory, file; /* bytes */
	uint64_t cpus;
};

/* Returns the bounds of this process. */
struct frec_ring_bounds frec__ring_bounds(void);

/* Returns the largest power of two, from FREC_RING_SIZE_MIN to FREC_RING_SIZE_DEFAULT, for which
 * the rings and the room for their copies take at most an eighth of the memory, and the rings of
 * services fit into a file. If there is none, returns FREC_RING_SIZE_MIN. */
uint64_t frec__ring_size_within(const struct frec_ring_bounds *bounds);

/* Returns about how many bytes the rings of `size` bytes and the room for their copies take. */
uint64_t frec__ring_size_cost(uint64_t size, uint64_t cpus);

#endif
