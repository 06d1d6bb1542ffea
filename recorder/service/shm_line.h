/* SPDX-License-Identifier: MIT */
/*
 * Times computed from the processor's counter. A processor takes half as long to read its counter
 * as the C library takes to read CLOCK_MONOTONIC, which is the largest part of an emit. So a
 * process keeps a line: what the clock was at one value of the counter, and at what rate the clock
 * runs against the counter. Threads compute times from the line for some 20 ms; then the thread
 * that emits next reads the clock and draws a new line. Nobody else has to wake up for that.
 *
 * How true these times are: a line's rate is measured over at least as long as the line is used
 * afterwards, so a time is as exact as two readings of the clock, some 20 ns, plus what the kernel
 * has changed its clock's rate by meanwhile (1 ppm makes 20 ns). The processor may read the counter
 * before instructions that precede it, within the 100 ns or so that it executes ahead, as it does
 * where the kernel dates its own trace events. Times of one line never step back, and a line begins
 * no earlier than the line before it ended, unless that would put it wrong by more than
 * FREC__SHM_LINE_AHEAD_MAX.
 *
 * The recorder allows lines (FREC_SHM_COUNTER in shm.h) where the kernel's own clock is that same
 * counter, so the counters of all processors agree. Lines are used only by restartable sequences: a
 * thread that was stopped between two instructions begins again, with the line of that moment.
 */
#ifndef FREC_RECORDER_SERVICE_SHM_LINE_H
#define FREC_RECORDER_SERVICE_SHM_LINE_H

#include <stdint.h>

/* In ticks of the counter: how long a line is used at most (20 to 30 ms at 2 to 3 GHz), and how far
 * apart at least the two readings of the clock are that a rate is measured by. */
#define FREC__SHM_LINE_TICKS (UINT64_C(1) << 26)
#define FREC__SHM_LINE_TICKS_MIN (UINT64_C(1) << 20)
/* How far apart they are at most, in nanoseconds: what 32 bits hold. */
#define FREC__SHM_LINE_PASSED_MAX UINT32_MAX
/* How far ahead of the clock, in nanoseconds, a line may begin. */
#define FREC__SHM_LINE_AHEAD_MAX 1000

struct frec__shm_line {
	uint64_t counter; /* its value at the beginning of the line */
	uint64_t time;	  /* nanoseconds of the kernel's CLOCK_MONOTONIC at the beginning */
	uint64_t rate;	  /* nanoseconds a tick, in units of 2^-32 */
	uint64_t ticks;	  /* for how many ticks the line is used; 0: not at all */
};

/* What the next line is drawn from. All zero at first. */
struct frec__shm_drawing {
	uint64_t counter, time; /* the last reading */
	uint64_t rate;		/* as last measured; 0: not known */
};

/* Returns the time at a value of the counter that is less than line->ticks, or only a little more,
 * after the line's beginning. */
static inline uint64_t frec__shm_line_time(const struct frec__shm_line *line, uint64_t counter)
{
	uint64_t ticks = counter - __atomic_load_n(&line->counter, __ATOMIC_RELAXED);

	return __atomic_load_n(&line->time, __ATOMIC_RELAXED) +
	       (ticks * __atomic_load_n(&line->rate, __ATOMIC_RELAXED) >> 32);
}

/*
 * Returns the line that follows `last` after a reading of the counter and the clock, and updates
 * the drawing. The line is not to be used (its `ticks` are 0) until two measurements of the rate,
 * one after the other, have agreed.
 */
struct frec__shm_line frec__shm_line_next(struct frec__shm_drawing *drawing,
					  const struct frec__shm_line *last, uint64_t counter,
					  uint64_t time);

#endif
