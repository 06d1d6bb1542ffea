/* SPDX-License-Identifier: MIT */
/* Files from debuginfod servers. */
#ifndef FREC_UNWIND_DEBUGINFOD_H
#define FREC_UNWIND_DEBUGINFOD_H

#include "unwind/elf_file.h"

/*
 * Asks the servers that the client library's environment names for the file of that kind
 * ("executable", "debuginfo"). Returns a descriptor, or a negative errno. The caller frees
 * `*ret_path`.
 */
int frec__debuginfod(const char *kind, const struct frec_build_id *build_id, char **ret_path);

#endif
