/* SPDX-License-Identifier: MIT */
/*
 * A child process that unwinds stacks while a file is written. It reads program files, which are
 * untrusted: they may be on a hung file system, be truncated while they are read, or crash the
 * parser. That may cost frames, but never the file.
 *
 * The child has no rights; a process without a parser opens program files for it (sandbox.h). It
 * knows the processes as they were when it was started, and asks no debuginfod server.
 * Each stack is sent to it in one message, and its frames come back in another.
 */
#ifndef FREC_RECORDER_SNAPSHOT_UNWIND_WORKER_H
#define FREC_RECORDER_SNAPSHOT_UNWIND_WORKER_H

#include "recorder/snapshot/thread_stacks.h"
#include "recorder/snapshot/unwound.h"
#include "recorder/worker/worker.h"

struct frec_unwind_worker {
	const struct frec_process_table *processes;
	/* end a stack before the first frame that is not in code */
	bool only_code;
	struct frec_worker child; /* has no socket if the child was given up */
	bool here;		  /* there is no child: this process unwinds */
	uint64_t until;		  /* when unwinding ends, nanoseconds of CLOCK_MONOTONIC */
	/* An earlier end, if it is not 0, and whether unwinding ends at once. Both may change
	 * during a wait, and may be NULL. */
	const uint64_t *deadline;
	const bool *cancelled;
	uint64_t handed_back; /* when `on_progress` was last called */
	/* called every few milliseconds during a wait; may be NULL */
	void (*on_progress)(void *context);
	void *context;
};

/*
 * Starts the child. The caller has set processes, only_code, on_progress and context, and `child`
 * to FREC_WORKER_NONE. If no process can be started (the limit on processes may have caused the
 * crash), the calling process unwinds, unless it runs as root and the programs may be a stranger's:
 * then there are no frames.
 */
void frec__unwind_worker_start(struct frec_unwind_worker *worker);
void frec__unwind_worker_stop(struct frec_unwind_worker *worker);

/* Unwinds a stack and stores the frames in ret->frames. Returns false if the time for this file is
 * up or the child failed: there are then no frames, and the stack ends with FREC_UNWIND_LIMIT. */
bool frec__unwind_worker_ask(struct frec_unwind_worker *worker,
			     const struct frec_stack_sample *sample, struct frec_unwound *ret);

/* Has the child open all programs that the process `pid` has mapped at `time`. */
void frec__unwind_worker_open(struct frec_unwind_worker *worker, uint32_t pid, uint64_t time);

/* Calls `take` with what is kept of each lost program (lost_programs.h) that the child has opened
 * by now. Must be the last request, because it ends the child. */
void frec__unwind_worker_programs(struct frec_unwind_worker *worker,
				  void (*take)(void *context, const Flightrec__Program *program),
				  void *context);

#endif
