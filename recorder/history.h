/* SPDX-License-Identifier: MIT */
/* How far back in time the rings reach, and how much further they would without stacks. */
#ifndef FREC_RECORDER_HISTORY_H
#define FREC_RECORDER_HISTORY_H

#include "recorder/source_set.h"

/*
 * Of the ring that was written most, in seconds.
 *
 * How often it would be full by now follows from the bytes that were ever written to it. Which part
 * of them are stacks is measured: the ring is copied, as for a snapshot, and its records are read.
 * The size of a stack is known nowhere else: a callchain has no fixed length, and a kernel thread
 * has no stack of a process.
 */
struct frec_history {
	uint64_t written; /* bytes */
	double recording; /* for how long */
	double held;	  /* what it holds now */
	/* what it holds once it is full, at the rate of all the time so far; 0: nothing was
	 * written yet */
	double full;
	double without_stacks; /* the same, if its records had no stacks but those of crashes */
	bool stacks;	       /* some source has stacks that were selected */
	size_t stacks_missing; /* sources for which stacks were selected and cannot be had */
};

/*
 * Measures what has been recorded since `since` (nanoseconds of CLOCK_MONOTONIC). Overwrites the
 * last capture if there are stacks. Allocates no more than a table of the sources.
 */
void frec__history_read(const struct frec_source_set *sources, uint64_t since,
			struct frec_history *ret);

#endif
