/* SPDX-License-Identifier: MIT */
/* For how long rings last, and what that has to do with stacks. */
#ifndef FREC_RECORDER_HISTORY_H
#define FREC_RECORDER_HISTORY_H

#include "recorder/engine.h"

/*
 * Of the ring that was written most, in seconds.
 *
 * How often it would be full by now follows from the bytes that the kernel ever wrote to it. Which
 * part of them are stacks is measured: the ring is copied, as for a snapshot, and its records
 * looked at. How large one was is known nowhere else: a callchain is as long as it is, and a thread
 * of the kernel has no stack of a process.
 */
struct frec_history {
	uint64_t written; /* bytes */
	double recording; /* since when */
	double held;	  /* what it holds now */
	/* what it holds once it is full, at the rate of all the time so far; 0: nothing was
	 * written yet */
	double full;
	double without_stacks; /* the same, had its records no stacks but those of crashes */
	bool stacks;	       /* some source has stacks that were asked for */
	size_t stacks_missing; /* sources that were asked for stacks and cannot have them */
};

/* Overwrites the engine's last capture where there are stacks. Allocates as much as a table of the
 * sources. */
void frec__history_read(struct frec_engine *engine, struct frec_history *ret);

#endif
