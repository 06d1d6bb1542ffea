/* SPDX-License-Identifier: MIT */
/* The user registers of this machine that a sample can hold. registers_ARCHITECTURE.c has them. */
#ifndef FREC_RECORDER_RINGS_REGISTERS_H
#define FREC_RECORDER_RINGS_REGISTERS_H

#include <stdint.h>

/* perf_event_attr.sample_regs_user with all of them set. */
extern const uint64_t frec__perf_user_registers;
/* perf's number of the stack pointer. */
extern const unsigned int frec__perf_user_stack_pointer;

#endif
