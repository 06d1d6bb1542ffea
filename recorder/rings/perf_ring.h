/* SPDX-License-Identifier: MIT */
/* The perf ring of one CPU: a buffer that the kernel writes. ring.h explains how it is copied. */
#ifndef FREC_RECORDER_RINGS_PERF_RING_H
#define FREC_RECORDER_RINGS_PERF_RING_H

#include "recorder/rings/ring.h"

extern const struct frec_ring_type frec__perf_ring_type;

/*
 * Opens the ring of `cpu`. `size` must be a power of two of at least one page. Returns 0, or a
 * negative errno with a message.
 */
int frec__perf_ring_open(struct frec_ring *ring, int cpu, size_t size, struct frec_error *reterr);

/*
 * Returns whether the ring's event was enabled at any time since the last call. If not, the ring's
 * CPU went offline: the kernel then removes all events from the CPU and does not restore them. Only
 * this shows that a CPU went offline and came back between two checks, as all CPUs but the first do
 * during a suspend.
 */
bool frec__perf_ring_alive(struct frec_ring *ring);

#endif
