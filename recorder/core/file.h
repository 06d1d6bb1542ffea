/* SPDX-License-Identifier: MIT */
/* Writes a core file according to core(5), as the kernel does if no command receives core dumps. */
#ifndef FREC_RECORDER_CORE_FILE_H
#define FREC_RECORDER_CORE_FILE_H

#include "recorder/core/pattern.h"

/*
 * Writes the contents of `kept` from its current offset, and then everything from the pipe
 * `source`. `pattern` gives the name of the file. A child process writes the file with the root,
 * working directory, user and limit of the process that died; if that process had rights that its
 * user does not have, root writes the file. Returns 0, also if core(5) asks for no file, or a
 * negative errno.
 */
int frec__core_file_write(const char *pattern, const struct frec_core_values *values, int kept,
			  int source, struct frec_error *reterr);

#endif
