/* SPDX-License-Identifier: MIT */
/* Writes a core file by the rules of core(5), which the kernel follows if core dumps do not go to a
 * command. */
#ifndef FREC_RECORDER_CORE_FILE_H
#define FREC_RECORDER_CORE_FILE_H

#include "recorder/core/pattern.h"

/*
 * Writes the contents of `kept` from its current offset, and then everything from the pipe
 * `source`. `pattern` gives the name, and the file is written by a child process as the process
 * that died would: with its root, working directory, user and limit. Returns 0, also if the rules
 * ask for no file, or a negative errno.
 */
int frec__core_file_write(const char *pattern, const struct frec_core_values *values, int kept,
			  int source, struct frec_error *reterr);

#endif
