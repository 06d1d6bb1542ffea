/* SPDX-License-Identifier: MIT */
/* The only memory of a process that unwinding can read: the recorded bytes of one stack. */
#ifndef FREC_UNWIND_MEMORY_H
#define FREC_UNWIND_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct frec_stack {
	/* where the first byte was: at the stack pointer or, if nothing was mapped there, at the
	 * lowest mapped address above it */
	uint64_t address;
	const uint8_t *data; /* may be unaligned */
	size_t size;
};

static inline bool frec__stack_read(const struct frec_stack *stack, uint64_t address, uint64_t *ret)
{
	uint64_t offset = address - stack->address;

	if (offset >= stack->size || stack->size - offset < sizeof(*ret))
		return false;
	memcpy(ret, stack->data + offset, sizeof(*ret));
	return true;
}

#endif
