/* SPDX-License-Identifier: MIT */
/*
 * Passing a core dump on to what was there before `flightrec core`, as the kernel would have done
 * it itself: a command that reads it, or a file. See core(5).
 */
#ifndef FREC_RECORDER_CORE_PASS_H
#define FREC_RECORDER_CORE_PASS_H

#include "recorder/core/pattern.h"

/*
 * Passes on what the file `kept` holds, from its beginning, and then all that comes from the pipe
 * `source`. `pattern` is what kernel.core_pattern was. Returns when who takes it has ended, 0 or a
 * negative errno; what was not taken then stays in the pipe. Starts processes, so it must be called
 * before there are threads.
 */
int frec__core_pass_on(const char *pattern, const struct frec_core_values *values, int kept,
		       int source, struct frec_error *reterr);

#endif
