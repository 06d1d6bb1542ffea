/* SPDX-License-Identifier: MIT */
/*
 * The time of a record in shared memory. CLOCK_MONOTONIC is read in user space, which may fail a
 * thread in two ways: the instruction that reads the processor's counter is forbidden to it (strict
 * seccomp, PR_SET_TSC) and kills it, or the machine's clock cannot be read in user space, so the C
 * library makes a system call, which a seccomp filter may kill it for. CLOCK_MONOTONIC_COARSE,
 * the same clock at the last tick of the kernel's timer, is always a plain read of memory.
 *
 * Coarse times are used if the thread that attaches to the memory, or calls frec_register(), may
 * not read the counter; if the recorder found that the clock cannot be read (FREC_SHM_COARSE in
 * shm.h); and if the program has called frec_clock_coarse(). Then they are used to the end.
 *
 * A thread cannot find out by itself whether it may read the counter. Nothing that user space can
 * read without a fault or a system call shows the bit of the processor that forbids it: CPUID does
 * not mirror it, and TPAUSE and RDTSCP fault as RDTSC does. A transaction (TSX) would turn the
 * fault into an abort, but hardly a processor has transactions.
 */
#ifndef FREC_RECORDER_SERVICE_SHM_CLOCK_H
#define FREC_RECORDER_SERVICE_SHM_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "recorder/service/shm_counter.h"
#include "recorder/service/shm_emit.h"

extern bool frec__shm_coarse;

/* Uses coarse times from now on, if this thread may not read the processor's counter. Makes a
 * system call, and leaves errno alone. */
void frec__shm_clock_check(void);

/* For the child of a fork: if the parent has made a time namespace for its children, the child has
 * another clock than the parent (clock_ahead.h). Makes no system call. */
void frec__shm_clock_forked(void);

/*
 * A coarse time for the next record in the ring of a CPU. It is not earlier than the newest record
 * there, which may have an exact time. For the shared ring, `cpu` is shm->cpus or higher.
 */
uint64_t frec__shm_coarse_time(const struct frec__shm *shm, uint32_t cpu);

/* The kernel's CLOCK_MONOTONIC in nanoseconds, for the next record in the ring of a CPU. */
static inline uint64_t frec__shm_now(const struct frec__shm *shm, uint32_t cpu)
{
	struct timespec now;
	uint64_t counted;

	if (__builtin_expect(__atomic_load_n(&frec__shm_coarse, __ATOMIC_RELAXED), 0))
		return frec__shm_coarse_time(shm, cpu);
	counted = frec__shm_counted(shm->header);
	if (__builtin_expect(counted != 0, 1))
		return counted;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec - (uint64_t)shm->ahead;
}

#endif
