/* SPDX-License-Identifier: MIT */
/* Finding tracefs, wherever it is mounted. */
#ifndef FREC_RECORDER_SERVICE_TRACEFS_H
#define FREC_RECORDER_SERVICE_TRACEFS_H

#include <stddef.h>

/*
 * Writes the path of the mounted tracefs to `ret_path`. Needs no right to tracefs itself. Not for
 * signal handlers. Returns 0, -ENOENT where none is mounted (or the place cannot be reached),
 * -ENAMETOOLONG.
 */
int frec__tracefs_find(char *ret_path, size_t size);

/* Opens a file in tracefs, or one that is all there is of it, with `flags` and O_CLOEXEC. Returns
 * the descriptor or a negative errno. */
int frec__tracefs_open(const char *name, int flags);

#endif
