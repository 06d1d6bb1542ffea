/* SPDX-License-Identifier: MIT */
/*
 * The memory of a process that unwinding one stack can read. It has three sources, tried in this
 * order:
 *
 *	the first piece	most of a stack is here
 *	other pieces	what was copied beyond pages that were never touched, and of the other stack
 *			that a signal interrupted
 *	read()		a process that is still there
 *
 * Pieces do not overlap. An address that is in none of them and that read() cannot read is missing:
 * unwinding ends there and says so. Nothing is ever taken to be zero.
 */
#ifndef FREC_UNWIND_MEMORY_H
#define FREC_UNWIND_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* No stack has more pieces besides the first one. Every read outside that one searches them. */
#define FREC_STACK_PIECES_MAX 32

struct frec_stack_piece {
	uint64_t address;    /* where the first byte was */
	const uint8_t *data; /* may be unaligned */
	size_t size;
};

struct frec_stack {
	/* The first piece. It begins at the stack pointer or, if nothing was copied there, at the
	 * lowest address above the stack pointer that was. */
	uint64_t address;
	const uint8_t *data; /* may be unaligned */
	size_t size;
	const struct frec_stack_piece *piece; /* the other pieces, in any order */
	size_t pieces;			      /* at most FREC_STACK_PIECES_MAX are used */
	/* Reads `size` bytes, at most 8. Returns whether all of them could be read. NULL: there is
	 * no process to read from. */
	bool (*read)(void *context, uint64_t address, void *to, size_t size);
	void *context;
};

/* Reads `size` bytes, at most 8, from any source. Returns whether all of them are there. */
bool frec__stack_bytes(const struct frec_stack *stack, uint64_t address, void *to, size_t size);

/* Returns whether `address` is less than `reach` bytes above a piece, or begins inside one. */
bool frec__stack_is_beyond(const struct frec_stack *stack, uint64_t address, uint64_t reach);

/* Reads a word. Returns whether it is there. */
static inline bool frec__stack_read(const struct frec_stack *stack, uint64_t address, uint64_t *ret)
{
	uint64_t offset = address - stack->address;

	if (__builtin_expect(offset >= stack->size || stack->size - offset < sizeof(*ret), 0))
		return frec__stack_bytes(stack, address, ret, sizeof(*ret));
	memcpy(ret, stack->data + offset, sizeof(*ret));
	return true;
}

#endif
