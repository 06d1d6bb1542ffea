/* SPDX-License-Identifier: MIT */
/* How far back in time the rings reach, and how much further they would without stacks. */
#ifndef FREC_RECORDER_HISTORY_H
#define FREC_RECORDER_HISTORY_H

#include "recorder/source_set.h"

/*
 * The bytes and times are those of the busiest ring, the one into which most bytes were written.
 * Times are in seconds.
 *
 * `full` is computed from the bytes ever written to the ring. For `without_stacks` the share of
 * stacks in the ring is measured: the ring is copied, as for a snapshot, and its records are read.
 * The settings of the sources do not show how large stacks are, because a callchain has no fixed
 * length, and a kernel thread has no stack of a process.
 */
struct frec_history {
	uint64_t written; /* bytes ever written */
	double recording; /* for how long the recorder has been recording */
	double held;	  /* the time that the ring holds now */
	/* the time that the ring holds once it is full, at the average rate so far; 0: nothing was
	 * written yet */
	double full;
	/* what `full` would be if the only stacks in the records were those of crashes */
	double without_stacks;
	bool stacks;	       /* some source has stacks that were selected */
	size_t stacks_missing; /* sources whose stacks were selected but cannot be recorded */
};

/*
 * Measures what has been recorded since `since` (nanoseconds of CLOCK_MONOTONIC). Overwrites the
 * last capture if there are stacks. Allocates no more than a table of the sources.
 */
void frec__history_read(const struct frec_source_set *sources, uint64_t since,
			struct frec_history *ret);

#endif
