/* SPDX-License-Identifier: MIT */
/* Writes a recording as perf.data with the same registers and stack bytes, so that perf script
 * unwinds the same stacks. */
#ifndef FREC_TESTS_UNWIND_PERF_DATA_H
#define FREC_TESTS_UNWIND_PERF_DATA_H

#include "tests/unwind/recording.h"

/* Returns 0 or a negative errno. */
int perf_data_save(const struct recording *recording, const char *path);

#endif
