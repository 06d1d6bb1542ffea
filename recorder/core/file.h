/* SPDX-License-Identifier: MIT */
/* Writing a core file by the rules of core(5), which the kernel keeps where core dumps go to no
 * command. */
#ifndef FREC_RECORDER_CORE_FILE_H
#define FREC_RECORDER_CORE_FILE_H

#include "recorder/core/pattern.h"

/*
 * Writes what `kept` holds from where it stands, then all that comes from `source`, under the name
 * that `pattern` stands for, as the process that died would have: with its root, its working
 * directory, its user and its limit. 0 also where by the rules there is no file. It does so in a
 * process of its own.
 */
int frec__core_file_write(const char *pattern, const struct frec_core_values *values, int kept,
			  int source, struct frec_error *reterr);

#endif
