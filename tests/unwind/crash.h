/* SPDX-License-Identifier: MIT */
/* Stacks of a program at the moment it crashes, and at each instruction from a trap on: taken with
 * ptrace(2). */
#ifndef FREC_TESTS_UNWIND_CRASH_H
#define FREC_TESTS_UNWIND_CRASH_H

#include "tests/unwind/recording.h"

/*
 * Runs `argv` until it gets a fatal signal, takes the stack, and kills it. `bytes` are taken, from
 * the first mapped page above the stack pointer on. After SIGTRAP, the program runs on by `steps`
 * instructions, and the stack is taken after each. Mappings get their build-ids. 0 or a negative
 * errno; -ECHILD: it has ended by itself.
 */
int recording_crash(char *const *argv, size_t bytes, size_t steps, struct recording *ret);

#endif
