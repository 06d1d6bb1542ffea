/* SPDX-License-Identifier: MIT */
/*
 * A child process for work on untrusted files, which can make it hang, crash or run out of memory.
 * The parent must survive all of that.
 */
#ifndef FREC_RECORDER_SNAPSHOT_CHILD_H
#define FREC_RECORDER_SNAPSHOT_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/* Called in the child. From then on it dumps no core and dies with its parent. Its memory is
 * limited, and its CPU time to one second more than `seconds`. */
void frec__child_limit(unsigned int seconds);

/* Waits at most `milliseconds` for the child to end, and reaps it. Returns whether it ended.
 * `ret_status` is as in waitpid(2), and may be NULL. */
bool frec__child_ends_within(pid_t child, int milliseconds, int *ret_status);

/* Kills the child and reaps it. A child that hangs in a broken file system cannot be killed: after
 * a second this returns without it. */
void frec__child_kill(pid_t child);

#endif
