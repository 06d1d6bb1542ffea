/* SPDX-License-Identifier: MIT */
/*
 * A child that unwinds stacks while a file is written. It looks into programs, which may lie on a
 * file system that does not answer any more, be cut short while they are read, or be made to harm
 * whoever reads them: that may cost frames, and never the file.
 *
 * It knows the processes as they were when it was started, and asks no server. A question and its
 * answer are a message each.
 */
#ifndef FREC_RECORDER_SNAPSHOT_UNWIND_WORKER_H
#define FREC_RECORDER_SNAPSHOT_UNWIND_WORKER_H

#include <sys/types.h>

#include "recorder/snapshot/unwound.h"

struct frec_unwind_worker {
	const struct frec_process_table *processes;
	/* frames of which the address leads to no code are not wanted, nor what comes after them */
	bool only_code;
	int fd;		      /* -1: it is not there, or not any more */
	pid_t pid;	      /* -1: it never was */
	uint64_t until;	      /* when it is killed, nanoseconds of CLOCK_MONOTONIC */
	uint64_t handed_back; /* when `on_progress` was called last */
	void (*on_progress)(
		void *context); /* called every few milliseconds while one waits; NULL */
	void *context;
};

/*
 * Starts it; `worker` has its processes, only_code, meanwhile and context, and -1 for the others.
 * Where no process can be had (a limit that was reached may be what the crash is about) stacks are
 * unwound in this one.
 */
void frec__unwind_worker_start(struct frec_unwind_worker *worker);
void frec__unwind_worker_stop(struct frec_unwind_worker *worker);

/*
 * Unwinds a stack of a thread of `pid` at `time`, nanoseconds of CLOCK_MONOTONIC, and leaves the
 * frames in ret->frames. False:
 * the worker had to be killed, or died, which was reported; the end of the stack is then
 * FREC_UNWIND_LIMIT.
 */
bool frec__unwind_worker_ask(struct frec_unwind_worker *worker,
			     const struct frec_stack_sample *sample, struct frec_unwound *ret);

#endif
