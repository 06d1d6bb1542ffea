/* SPDX-License-Identifier: MIT */
/* Finding tracefs, and opening files in it. */
#ifndef FREC_RECORDER_SERVICE_TRACEFS_H
#define FREC_RECORDER_SERVICE_TRACEFS_H

#include <stddef.h>

/*
 * Finds where tracefs is mounted, and writes that path to `ret_path`. Needs no right to tracefs
 * itself. Must not be called in a signal handler. Returns 0, -ENOENT if tracefs is not mounted or
 * cannot be reached, or -ENAMETOOLONG.
 */
int frec__tracefs_find(char *ret_path, size_t size);

/* Opens a file in tracefs with `flags` and O_CLOEXEC, even if only this file is mounted. Returns
 * the descriptor or a negative errno. */
int frec__tracefs_open(const char *name, int flags);

#endif
