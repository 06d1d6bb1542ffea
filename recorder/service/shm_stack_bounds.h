/* SPDX-License-Identifier: MIT */
/* The bounds of the stack that a thread runs on, found without a system call, because a thread that
 * has entered seccomp may be killed for one. */
#ifndef FREC_RECORDER_SERVICE_SHM_STACK_BOUNDS_H
#define FREC_RECORDER_SERVICE_SHM_STACK_BOUNDS_H

#include <stdint.h>

/* Asks the kernel for what frec__shm_stack_end() needs. Call it before the first emit. */
void frec__shm_stack_bounds_init(void);

/*
 * Returns the end of the stack that `address` is on, which must be in a frame of the calling
 * thread: all memory from `address` up to the end can be read. Returns 0 if the stack is not one
 * that the C library gave to the thread, or if its bounds cannot be found. Async-signal-safe.
 */
uintptr_t frec__shm_stack_end(uintptr_t address);

#endif
