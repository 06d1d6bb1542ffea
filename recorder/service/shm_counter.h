/* SPDX-License-Identifier: MIT */
/*
 * CLOCK_MONOTONIC from the processor's counter, by a line that the recorder keeps in the header of
 * its memory (frec_shm_clock in shm.h; recorder/rings/shm_counter.h says how). It takes half of
 * what clock_gettime(2) takes, which was a third of an emit. Reading the counter is forbidden to
 * some threads: whoever calls this has to know that it is allowed.
 */
#ifndef FREC_RECORDER_SERVICE_SHM_COUNTER_H
#define FREC_RECORDER_SERVICE_SHM_COUNTER_H

#include "recorder/service/shm.h"

/*
 * CLOCK_MONOTONIC in nanoseconds, or 0 if the recorder gives no line, is just drawing another, or
 * has not drawn one for too long: then ask the kernel. Async-signal-safe.
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

	/* Pairs with the fences in publish() of shm_counter.c. Later readings of the counter by
	 * threads on the same CPU come with the same line or a later one, so times do not run back:
	 * a line begins where the one before it leads. */
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
