/* SPDX-License-Identifier: MIT */
/*
 * A child process for work that looks into files of others: they can hang it, crash it and fill its
 * memory, and none of that may harm the one that forked it.
 */
#ifndef FREC_RECORDER_SNAPSHOT_CHILD_H
#define FREC_RECORDER_SNAPSHOT_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/* In the child: it leaves no core dump of its own, ends with its parent, and takes no more than its
 * share. */
void frec__child_limit(unsigned int seconds);

/* Waits so long for the child to end, and reaps it. `ret_status` is as of waitpid(2); NULL where
 * nobody asks. */
bool frec__child_ends_within(pid_t child, int milliseconds, int *ret_status);

/* Kills the child and reaps it: unless it waits for a broken file system, which it then does for
 * ever. */
void frec__child_kill(pid_t child);

#endif
