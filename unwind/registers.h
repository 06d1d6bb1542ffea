/* SPDX-License-Identifier: MIT */
/* Register layouts by machine, as perf_event_open(2) numbers them. */
#ifndef FREC_UNWIND_REGISTERS_H
#define FREC_UNWIND_REGISTERS_H

#include <stddef.h>

struct frec_registers {
	const char *machine;	  /* as uname -m prints it */
	const char *const *names; /* indexed by the kernel's number; NULL where there is none */
	size_t count;
	unsigned int pc;
	unsigned int sp;
};

extern const struct frec_registers frec__registers_x86_64;
extern const struct frec_registers frec__registers_aarch64;

/* The layout of `machine`, or NULL where it is unknown. */
const struct frec_registers *frec__registers_find(const char *machine);

#endif
