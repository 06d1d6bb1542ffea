/* SPDX-License-Identifier: MIT */
/*
 * The time of a record in shared memory. CLOCK_MONOTONIC is read in user space, which can kill a
 * thread in two ways: the instruction that reads the processor's counter is forbidden to the thread
 * (strict seccomp, PR_SET_TSC), or the machine's clock cannot be read in user space, so that the C
 * library makes a system call, which a seccomp filter may not allow. CLOCK_MONOTONIC_COARSE, the
 * same clock at the last tick of the kernel's timer, is always a plain read of memory.
 *
 * Coarse times are used in three cases: the thread that attaches to the memory, or calls
 * frec_register(), may not read the counter; the recorder has found that the clock cannot be read
 * in user space (FREC_SHM_COARSE in shm.h); or the program has called frec_clock_coarse(). From
 * then on they are used until the process ends.
 *
 * A thread cannot find out by itself whether it may read the counter. Nothing that user space can
 * read without a fault or a system call shows the bit of the processor that forbids it: CPUID does
 * not mirror it, and TPAUSE and RDTSCP fault as RDTSC does. A transaction (TSX) would turn the
 * fault into an abort, but hardly any processor has transactions.
 */
#ifndef FREC_RECORDER_SERVICE_SHM_CLOCK_H
#define FREC_RECORDER_SERVICE_SHM_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "recorder/service/shm_emit.h"
#include "recorder/service/shm_line.h"

/* The line that this process computes times from (shm_line.h). The pointer may change at any time.
 * What it pointed to stays as it is until LINES (shm_clock.c) more lines have been drawn. */
extern const struct frec__shm_line *frec__shm_line;

/* Returns whether the process uses coarse times. */
bool frec__shm_clock_is_coarse(void);

/* Uses coarse times from now on, if this thread may not read the processor's counter. Makes a
 * system call, and leaves errno alone. */
void frec__shm_clock_check(void);

/* Measures, in the child of a fork, how far its clock is ahead: if the parent has made a time
 * namespace for its children, the child has another clock than the parent (clock_ahead.h). Makes no
 * system call. */
void frec__shm_clock_forked(void);

/*
 * Reads the clock, or its coarse variant. Returns the kernel's CLOCK_MONOTONIC in nanoseconds, for
 * the next record in the ring of a CPU; for the shared ring, `cpu` is shm->cpus or higher. A coarse
 * time is not earlier than that of the newest record of the CPU, which may have an exact time.
 */
uint64_t frec__shm_read_clock(const struct frec__shm *shm, uint32_t cpu);

/* Does the same, and draws a new line if the recorder allows lines. */
uint64_t frec__shm_draw_line(const struct frec__shm *shm, uint32_t cpu);

/* Does the same in a restartable sequence, where the time may come from the line. */
static inline uint64_t frec__shm_now(const struct frec__shm *shm, uint32_t cpu)
{
#ifdef __x86_64__
	const struct frec__shm_line *line = __atomic_load_n(&frec__shm_line, __ATOMIC_ACQUIRE);

	// The line of a process whose threads may not read the counter has no ticks.
	uint64_t ticks = __atomic_load_n(&line->ticks, __ATOMIC_RELAXED);

	if (__builtin_expect(ticks != 0, 1)) {
		uint64_t counter = __builtin_ia32_rdtsc();

		if (__builtin_expect(
			    counter - __atomic_load_n(&line->counter, __ATOMIC_RELAXED) < ticks, 1))
			return frec__shm_line_time(line, counter);
	}
#endif
	return frec__shm_draw_line(shm, cpu);
}

#endif
