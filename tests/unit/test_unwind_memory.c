// SPDX-License-Identifier: MIT
// Tests that the memory of a stack is read from all its pieces, and from a process only where there
// is no piece.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "unwind/memory.h"

static const uint8_t first[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
static const uint8_t second[] = {12, 13, 14, 15, 16, 17};
static const uint8_t far[] = {100, 101, 102, 103, 104, 105, 106, 107};
static const struct frec_stack_piece others[] = {
	{0x5000, far, sizeof(far)}, {0x100c, second, sizeof(second)}, {0x9000, NULL, 0}};
static const struct frec_stack pieces = {
	.address = 0x1000, .data = first, .size = sizeof(first), .piece = others, .pieces = 3};

static uint64_t asked_for;

// A process that has one byte after another from 0x100c on.
static bool read_process(void *context, uint64_t address, void *to, size_t size)
{
	(*(int *)context)++;
	asked_for = address;
	for (size_t i = 0; i < size; i++)
		((uint8_t *)to)[i] = (uint8_t)(address - 0x1000 + i);
	return address >= 0x1000 && address < 0x2000;
}

static void words(void **state)
{
	uint64_t value = 0;

	(void)state;
	assert_true(frec__stack_read(&pieces, 0x1001, &value));
	assert_int_equal(value, 0x0807060504030201);
	// from the first piece into the second one, and up to its end
	assert_true(frec__stack_read(&pieces, 0x1006, &value));
	assert_int_equal(value, 0x0d0c0b0a09080706);
	assert_true(frec__stack_read(&pieces, 0x100a, &value));
	assert_int_equal(value, 0x11100f0e0d0c0b0a);
	assert_true(frec__stack_read(&pieces, 0x5000, &value));
	assert_int_equal(value, 0x6b6a696867666564);
	assert_false(frec__stack_read(&pieces, 0x100b, &value));
	assert_false(frec__stack_read(&pieces, 0x4fff, &value));
	assert_false(frec__stack_read(&pieces, 0x5001, &value));
	assert_false(frec__stack_read(&pieces, 0x9000, &value));
	assert_false(frec__stack_read(&pieces, UINT64_MAX - 3, &value));
}

static void small_reads(void **state)
{
	uint16_t value = 0;

	(void)state;
	assert_true(frec__stack_bytes(&pieces, 0x5006, &value, 2));
	assert_int_equal(value, 0x6b6a);
	assert_false(frec__stack_bytes(&pieces, 0x5007, &value, 2));
}

static void a_process(void **state)
{
	struct frec_stack stack = pieces;
	uint64_t value = 0;
	int reads = 0;

	(void)state;
	stack.read = read_process;
	stack.context = &reads;
	assert_true(frec__stack_read(&stack, 0x1006, &value));
	assert_int_equal(reads, 0);
	// What is not wholly in pieces is read from the process in one piece.
	assert_true(frec__stack_read(&stack, 0x100f, &value));
	assert_int_equal(value, 0x161514131211100f);
	assert_int_equal(asked_for, 0x100f);
	assert_false(frec__stack_read(&stack, 0x8000, &value));
	assert_int_equal(reads, 2);
	stack = (struct frec_stack){.read = read_process, .context = &reads};
	assert_true(frec__stack_read(&stack, 0x1010, &value));
	assert_int_equal(value, 0x1716151413121110);
}

static void many_pieces(void **state)
{
	static struct frec_stack_piece many[FREC_STACK_PIECES_MAX + 1];
	const struct frec_stack stack = {.piece = many, .pieces = FREC_STACK_PIECES_MAX + 1};
	uint64_t value = 0;

	(void)state;
	for (size_t i = 0; i <= FREC_STACK_PIECES_MAX; i++)
		many[i] = (struct frec_stack_piece){0x1000 * (i + 1), far, sizeof(far)};
	assert_true(frec__stack_read(&stack, 0x1000 * FREC_STACK_PIECES_MAX, &value));
	assert_false(frec__stack_read(&stack, 0x1000 * (FREC_STACK_PIECES_MAX + 1), &value));
}

static void beyond(void **state)
{
	(void)state;
	assert_true(frec__stack_is_beyond(&pieces, 0x100f, 16));
	assert_true(frec__stack_is_beyond(&pieces, 0x1012, 16));
	assert_false(frec__stack_is_beyond(&pieces, 0x1022, 16));
	assert_true(frec__stack_is_beyond(&pieces, 0x5010, 16));
	assert_false(frec__stack_is_beyond(&pieces, 0xfff, 16));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(words), cmocka_unit_test(small_reads),
					   cmocka_unit_test(a_process),
					   cmocka_unit_test(many_pieces), cmocka_unit_test(beyond)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
