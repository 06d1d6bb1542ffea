/* SPDX-License-Identifier: MIT */
/* One ring of the shared memory that services write (shm_rings.h), as a struct frec_ring. */
#ifndef FREC_RECORDER_RINGS_SHM_RING_H
#define FREC_RECORDER_RINGS_SHM_RING_H

#include "recorder/rings/ring.h"

/*
 * Initialises `ring` as ring number `index`, of `size` bytes, of a shared memory that must outlive
 * `ring`. `number` is the number of that memory, from 1 on.
 */
void frec__shm_ring_init(struct frec_ring *ring, const struct frec_shm_rings *shm, size_t index,
			 size_t size, uint32_t number);

/* Turns the id that an event has within shared memory `number` into an id that no other event of
 * the recorder has. */
uint64_t frec__shm_ring_id(uint32_t number, uint64_t id);

#endif
