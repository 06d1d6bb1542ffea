/* SPDX-License-Identifier: MIT */
/*
 * A child process for work on untrusted files. They can make it hang, crash or fill its memory, and
 * its parent must survive all of that.
 */
#ifndef FREC_RECORDER_SNAPSHOT_CHILD_H
#define FREC_RECORDER_SNAPSHOT_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/* Called in the child: it dumps no core, ends with its parent, and its memory and CPU time are
 * limited. */
void frec__child_limit(unsigned int seconds);

/* Waits at most that long for the child to end, and reaps it. Returns whether it ended.
 * `ret_status` is as of waitpid(2), and may be NULL. */
bool frec__child_ends_within(pid_t child, int milliseconds, int *ret_status);

/* Kills the child and reaps it, unless it hangs in a broken file system, where it cannot be
 * killed. */
void frec__child_kill(pid_t child);

#endif
