// SPDX-License-Identifier: MIT
// Reads memory outside the first piece of a stack.
#include "unwind/memory.h"

static size_t pieces_of(const struct frec_stack *stack)
{
	return stack->pieces < FREC_STACK_PIECES_MAX ? stack->pieces : FREC_STACK_PIECES_MAX;
}

// The first piece has the number 0.
static struct frec_stack_piece piece_at(const struct frec_stack *stack, size_t number)
{
	return number ? stack->piece[number - 1]
		      : (struct frec_stack_piece){stack->address, stack->data, stack->size};
}

// Copies what one piece has from `address` on. Returns how many bytes that is, at most `size`.
static size_t copy_from_pieces(const struct frec_stack *stack, uint64_t address, void *to,
			       size_t size)
{
	for (size_t i = 0; i <= pieces_of(stack); i++) {
		const struct frec_stack_piece piece = piece_at(stack, i);
		uint64_t offset = address - piece.address;

		if (offset >= piece.size)
			continue;
		if (piece.size - offset < size)
			size = piece.size - (size_t)offset;
		memcpy(to, piece.data + offset, size);
		return size;
	}
	return 0;
}

bool frec__stack_bytes(const struct frec_stack *stack, uint64_t address, void *to, size_t size)
{
	size_t done = 0;

	// A word can begin in one piece and end in the next one.
	while (done < size) {
		size_t copied =
			copy_from_pieces(stack, address + done, (uint8_t *)to + done, size - done);

		if (!copied)
			return stack->read && stack->read(stack->context, address, to, size);
		done += copied;
	}
	return true;
}

bool frec__stack_is_beyond(const struct frec_stack *stack, uint64_t address, uint64_t reach)
{
	for (size_t i = 0; i <= pieces_of(stack); i++) {
		const struct frec_stack_piece piece = piece_at(stack, i);

		if (address - piece.address < piece.size + reach)
			return true;
	}
	return false;
}
