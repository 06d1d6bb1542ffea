/* SPDX-License-Identifier: MIT */
/*
 * The recorders that are about to write a snapshot of a dying process: found by where they listen,
 * asked by the messages of control.proto. A socket in a user's own folder can be anybody's who has
 * the
 * rights of that user, and is told of no process that is not his.
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
 * Asks all that may know of the process, and keeps those that wait for its stacks from now on.
 * `only_root` says that the memory of the process is not its user's to see. Nobody is waited for
 * longer than `deadline` (nanoseconds of CLOCK_MONOTONIC).
 */
void frec__core_recorders_find(struct frec_core_recorders *recorders,
			       const struct frec_core_process *process, bool only_root,
			       uint64_t deadline);

/* Hands them the stacks in `fd` and waits until they have them. */
void frec__core_recorders_send(const struct frec_core_recorders *recorders, pid_t pid, int fd,
			       size_t missing, uint64_t deadline);

/* They wait no longer. */
void frec__core_recorders_close(struct frec_core_recorders *recorders);

#endif
