/* SPDX-License-Identifier: MIT */
/* What `flightrec core` does when the kernel runs it: look at the process, then pass its core dump
 * on. */
#ifndef FREC_RECORDER_CORE_HANDLE_H
#define FREC_RECORDER_CORE_HANDLE_H

#include "recorder/core/pattern.h"

struct frec_core_limits {
	size_t threads; /* that are unwound */
	unsigned int
		/* until the core dump is passed on, whatever has been found by then; 0: at once */
		seconds;
};

/*
 * Handles the core dump that comes in on standard input. `previous` is the pattern to pass it on
 * to. Returns 0 or a negative errno, when whoever takes the core dump has ended; what else goes
 * wrong is told on standard error.
 */
int frec__core_handle(const struct frec_core_values *values, const struct frec_core_limits *limits,
		      const char *previous);

#endif
