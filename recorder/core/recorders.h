/* SPDX-License-Identifier: MIT */
/*
 * The recorders that are about to write a snapshot of a dying process. They are found by their
 * sockets and asked with messages of control.proto. Behind a socket in a user's folder there may be
 * any program of that user, so that program is told only about that user's processes.
 */
#ifndef FREC_RECORDER_CORE_RECORDERS_H
#define FREC_RECORDER_CORE_RECORDERS_H

#include "recorder/core/process.h"

#define FREC_CORE_RECORDERS_MAX 64

struct frec_core_recorders {
	size_t count;
	int fd[FREC_CORE_RECORDERS_MAX];
};

/*
 * Asks all recorders that may know about the process, and keeps those that now wait for its stacks.
 * `only_root`: the user of the process may not see its memory, so only recorders of root are asked.
 * Stops waiting for answers at `deadline` (nanoseconds of CLOCK_MONOTONIC).
 */
void frec__core_recorders_find(struct frec_core_recorders *recorders,
			       const struct frec_core_process *process, bool only_root,
			       uint64_t deadline);

/* Sends the stacks in `fd` to all of `recorders`, and waits until all recorders have received them,
 * or until `deadline`. `missing` is the number of threads without a stack. */
void frec__core_recorders_send(const struct frec_core_recorders *recorders, pid_t pid, int fd,
			       size_t missing, uint64_t deadline);

/* Closes the connections. The recorders then stop waiting for stacks. */
void frec__core_recorders_close(struct frec_core_recorders *recorders);
#define FREC_CORE_RECORDERS __attribute__((cleanup(frec__core_recorders_close)))

#endif
