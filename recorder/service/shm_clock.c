// SPDX-License-Identifier: MIT
// Times of records for threads that may not, or cannot, read the exact clock: see shm_clock.h.
#include "recorder/service/shm_clock.h"

#include <errno.h>
#include <sys/prctl.h>

#include "flightrec/event.h"
#include "recorder/service/clock_ahead.h"
#include "recorder/service/shm_emit.h"
#include "recorder/service/shm_sequence.h"

// If the newest record is further ahead of the coarse clock than this, its time is wrong and is
// ignored: the kernel's timer is never that late, but other services can write to the ring.
#define AHEAD_MAX UINT64_C(1000000000) // nanoseconds

bool frec__shm_coarse;

void frec_clock_coarse(void)
{
	// With FREC_SHM_COARSE each emit calls this. Storing again would take the cache line, which
	// all threads read, away from them.
	if (!__atomic_load_n(&frec__shm_coarse, __ATOMIC_RELAXED))
		__atomic_store_n(&frec__shm_coarse, true, __ATOMIC_RELAXED);
}

void frec__shm_clock_check(void)
{
#ifdef __x86_64__
	int mode, saved_errno = errno;

	if (!prctl(PR_GET_TSC, &mode) && mode == PR_TSC_SIGSEGV)
		frec_clock_coarse();
	errno = saved_errno;
#endif
}

void frec__shm_clock_forked(void)
{
	struct frec__shm *shm = __atomic_load_n(&frec__shm, __ATOMIC_RELAXED);

	if (shm)
		__atomic_store_n(
			&shm->ahead,
			frec__clock_measure(__atomic_load_n(&shm->header->epoch, __ATOMIC_RELAXED),
					    __atomic_load_n(&shm->ahead, __ATOMIC_RELAXED)),
			__ATOMIC_RELAXED);
}

static uint64_t newest_time(const struct frec__shm *shm, uint32_t cpu)
{
	uint64_t position =
		__atomic_load_n(&frec__shm_control_of(shm, cpu)->position, __ATOMIC_RELAXED);
	const struct frec_shm_record *record =
		(const void *)(frec__shm_ring_of(shm, cpu) + frec__shm_place(shm, position));

	return record->time;
}

__attribute__((cold)) uint64_t frec__shm_coarse_time(const struct frec__shm *shm, uint32_t cpu)
{
	uint64_t time = frec__shm_read_clock(shm, CLOCK_MONOTONIC_COARSE), newest;
	uint32_t before;

	if (cpu >= shm->cpus)
		return time;
	before = frec__shm_open(shm);
	newest = newest_time(shm, cpu);
	frec__shm_close(shm, before);
	return newest > time && newest - time < AHEAD_MAX ? newest : time;
}
