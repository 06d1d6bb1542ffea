/* SPDX-License-Identifier: MIT */
/* Takes stacks of a program when it crashes, and at each instruction after a trap, with
 * ptrace(2). */
#ifndef FREC_TESTS_UNWIND_CRASH_H
#define FREC_TESTS_UNWIND_CRASH_H

#include "tests/unwind/recording.h"

/*
 * Runs `argv` until it gets a fatal signal, takes at most `bytes` bytes of the stack, and kills the
 * program. The bytes begin at the stack pointer or, if nothing is mapped there, at the first mapped
 * page above it. If the signal is SIGTRAP, the program runs on for `steps` instructions, and the
 * stack is taken after each. The recorded mappings have build-ids. Returns 0 or a negative errno;
 * -ECHILD: the program ended by itself.
 */
int recording_crash(char *const *argv, size_t bytes, size_t steps, struct recording *ret);

#endif
