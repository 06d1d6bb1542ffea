/* SPDX-License-Identifier: MIT */
/* Files from debuginfod servers. */
#ifndef FREC_UNWIND_DEBUGINFOD_H
#define FREC_UNWIND_DEBUGINFOD_H

#include "unwind/elf_file.h"

/*
 * Asks the servers in DEBUGINFOD_URLS for a file; `kind` is "executable" or "debuginfo". Returns a
 * descriptor of the copy that the client library made, and sets `*ret_path` to the copy's path,
 * which the caller frees. Returns a negative errno on failure.
 */
int frec__debuginfod(const char *kind, const struct frec_build_id *build_id, char **ret_path);

/* Makes frec__debuginfod() call `asker` in place of asking the servers, for a process that has no
 * network. `asker` must return what frec__debuginfod() returns. If `asker` is NULL,
 * frec__debuginfod() asks the servers itself again. */
void frec__debuginfod_through(int (*asker)(const char *kind, const struct frec_build_id *build_id,
					   char **ret_path));

#endif
