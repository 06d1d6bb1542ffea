/* SPDX-License-Identifier: MIT */
/* Passes a core dump on as the kernel would if `flightrec core` were not installed: to a command
 * that reads it, to a server at a socket, or to a file. See core(5). */
#ifndef FREC_RECORDER_CORE_PASS_H
#define FREC_RECORDER_CORE_PASS_H

#include "recorder/core/pattern.h"

/*
 * Passes on the contents of the file `kept`, and then everything from the pipe `source`, to the
 * receiver that `pattern`, the previous kernel.core_pattern, names. Waits until the receiver has
 * ended; what it did not read may stay in the pipe. Returns 0 or a negative errno. Must be called
 * before any thread is started, because it forks.
 */
int frec__core_pass_on(const char *pattern, const struct frec_core_values *values, int kept,
		       int source, struct frec_error *reterr);

#endif
