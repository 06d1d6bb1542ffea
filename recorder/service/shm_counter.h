/* SPDX-License-Identifier: MIT */
/*
 * Computes CLOCK_MONOTONIC from the processor's counter, with a straight line that the recorder
 * keeps in the header of its memory (frec_shm_clock in shm.h; recorder/rings/shm_counter.h says
 * how). This takes half as long as clock_gettime(2), which took a third of the time of an emit.
 * Reading the counter is forbidden to some threads: the caller has to know that it is allowed.
 */
#ifndef FREC_RECORDER_SERVICE_SHM_COUNTER_H
#define FREC_RECORDER_SERVICE_SHM_COUNTER_H

#include "recorder/service/shm.h"

/*
 * Returns CLOCK_MONOTONIC in nanoseconds, or 0 if the recorder has stored no line, is just storing
 * another, or has not stored one for too long: then the caller has to ask the kernel.
 * Async-signal-safe.
 */
static inline uint64_t frec__shm_counted(const struct frec_shm_header *header)
{
#ifdef __x86_64__
	const struct frec_shm_clock *clock = &header->clock;
	uint64_t version = __atomic_load_n(&clock->version, __ATOMIC_ACQUIRE);
	uint64_t counter = __atomic_load_n(&clock->counter, __ATOMIC_RELAXED);
	uint64_t time = __atomic_load_n(&clock->time, __ATOMIC_RELAXED);
	uint64_t slope = __atomic_load_n(&clock->slope, __ATOMIC_RELAXED);
	uint64_t ticks = __builtin_ia32_rdtsc() - counter;
	uint64_t reach = __atomic_load_n(&clock->reach, __ATOMIC_RELAXED);

	/* Pairs with the fences in publish() of shm_counter.c. A thread that reads the counter
	 * later on the same CPU uses the same line or a later one, and each line begins at a point
	 * of the line before it, so times do not run back. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (__builtin_expect(ticks >= reach, 0) ||
	    __builtin_expect(__atomic_load_n(&clock->version, __ATOMIC_RELAXED) != version ||
				     version & 1,
			     0))
		return 0;
	return time + (ticks * slope >> FREC_SHM_SLOPE_BITS);
#else
	(void)header;
	return 0;
#endif
}

#endif
