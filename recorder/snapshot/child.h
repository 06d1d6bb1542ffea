/* SPDX-License-Identifier: MIT */
/*
 * A child process for work on untrusted files, which can make the child hang, crash or run out of
 * memory. The parent must survive all of that.
 */
#ifndef FREC_RECORDER_SNAPSHOT_CHILD_H
#define FREC_RECORDER_SNAPSHOT_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/* Must be called in the child, which from then on dumps no core and dies with its parent. Its
 * memory is limited, and its CPU time is limited to one second more than `seconds`. */
void frec__child_limit(unsigned int seconds);

/* Waits at most `milliseconds` for the child to end, and reaps it. Returns whether it ended.
 * `ret_status` is as in waitpid(2), and may be NULL. */
bool frec__child_ends_within(pid_t child, int milliseconds, int *ret_status);

/* Kills the child and reaps it. A child that hangs in a broken file system cannot be killed: this
 * function returns after a second even if the child still exists. */
void frec__child_kill(pid_t child);

#endif
