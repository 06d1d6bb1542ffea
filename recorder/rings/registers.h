/* SPDX-License-Identifier: MIT */
/* The user-space registers that a sample can contain on this machine, defined in
 * registers_ARCHITECTURE.c. */
#ifndef FREC_RECORDER_RINGS_REGISTERS_H
#define FREC_RECORDER_RINGS_REGISTERS_H

#include <stdint.h>

/* The value of perf_event_attr.sample_regs_user that selects all these registers. */
extern const uint64_t frec__perf_user_registers;
/* The number that perf gives to the stack pointer. */
extern const unsigned int frec__perf_user_stack_pointer;

#endif
