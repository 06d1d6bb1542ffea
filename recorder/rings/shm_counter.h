/* SPDX-License-Identifier: MIT */
/*
 * Keeps the line by which services compute CLOCK_MONOTONIC from the processor's counter (see
 * service/shm_counter.h). At every reading, some 20 ms apart, a new line begins where the line
 * before it has led, so that times never jump back, and leads to where the clock will be at the
 * next reading. The line aims FREC_SHM_BEHIND nanoseconds below the clock, because a time in the
 * future would be worse than one that is a little too early. The kernel adjusts its clock by a few
 * nanoseconds at most between two readings, so times miss that aim by some ten nanoseconds.
 *
 * There is no line before the second reading, nor if the kernel itself does not take its time from
 * the counter, nor after a reading that is far from the line, as when a virtual machine was moved.
 * If no reading follows, because the recorder writes a file or is stopped, the line ends after
 * FREC_SHM_REACH.
 */
#ifndef FREC_RECORDER_RINGS_SHM_COUNTER_H
#define FREC_RECORDER_RINGS_SHM_COUNTER_H

#include <stdbool.h>

#include "recorder/service/shm.h"

/* In nanoseconds. */
#define FREC_SHM_BEHIND 100
#define FREC_SHM_REACH UINT64_C(100000000)
#define FREC_SHM_READING_INTERVAL UINT64_C(10000000) /* the least time between two readings */
/* If a reading is farther from the line than this, the clock or the counter was changed. */
#define FREC_SHM_OFF_MAX 50000

struct frec_shm_counter {
	bool usable;		    /* the kernel takes its time from the counter */
	uint64_t counter, time;	    /* the last reading; time 0: none yet */
	struct frec_shm_clock line; /* without `version` */
};

/* Finds out whether the counter can be used. */
void frec__shm_counter_init(struct frec_shm_counter *ret);

/* Takes a reading and publishes a new line, if the last reading is long enough ago. */
void frec__shm_counter_refresh(struct frec_shm_counter *counter, struct frec_shm_clock *ret);

/* Makes the line that follows from a reading: when the counter had the value `ticks`, the time was
 * `time`. If the reach of the line is 0, there is no line. */
void frec__shm_counter_read(struct frec_shm_counter *counter, uint64_t ticks, uint64_t time);

#endif
