/* SPDX-License-Identifier: MIT */
/*
 * The core room is `flightrec core`, which the kernel runs for each core dump. It collects the
 * stacks of all threads for the recorders, and passes the core dump on to the command or file that
 * received core dumps before.
 *
 * Installation: install.c writes kernel.core_pattern, and remembers the previous pattern in a file
 * of sysctl.d(5). pattern.c makes and expands patterns.
 *
 * A core dump flows through the room like this. handle.c forks a child. The child reads mappings
 * and threads from /proc (process.c) and finds recorders that wait for the stacks of the process
 * (recorders.c). A child of its own, without rights, reads the registers of all threads from the
 * head of the core dump (notes.c, registers_*.c) and unwinds the threads (stacks.c). The first
 * child then hands the stacks to those recorders. The parent passes the whole core dump on
 * (pass.c), to a command, to a server at a socket (socket.c), or to a file (file.c).
 *
 * Invariants: the core dump is passed on byte for byte, whatever happens to a child. Memory, time
 * and descriptors are bounded, because the kernel keeps the dying process until the handler ends. A
 * recorder that does not run as root learns only about its user's processes.
 */
#ifndef FREC_RECORDER_CORE_HANDLE_H
#define FREC_RECORDER_CORE_HANDLE_H

#include "recorder/core/pattern.h"

struct frec_core_limits {
	size_t threads; /* unwind at most this many */
	/* collect for at most this long before the core dump is passed on; 0: collect nothing */
	unsigned int seconds;
};

/*
 * Handles the core dump on standard input, and passes it on according to `previous`, the pattern
 * that was set before ours. Returns after the receiver of the core dump has ended: 0, or a negative
 * errno if passing it on failed. Other failures are only reported on standard error.
 */
int frec__core_handle(const struct frec_core_values *values, const struct frec_core_limits *limits,
		      const char *previous);

#endif
