// SPDX-License-Identifier: MIT
// Proves that DWARF expressions have the values that the standard defines, and that an expression
// fails if it is damaged, never ends, or reads what was not recorded.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dwarf.h>
#include <errno.h>

#include "unwind/expression.h"

static const uint64_t memory[] = {0x1111, 0x2222, 0x8877665544332211, 0x4444};
static const struct frec_stack stack = {0x7000, (const uint8_t *)memory, sizeof(memory)};

static int evaluate(const uint8_t *bytes, uint32_t size, const uint64_t *initial, uint64_t *ret)
{
	static struct frec_cpu cpu = {.known = 1 << 7 | 1 << 9 | 1 << 16};
	const struct frec_expression_context context = {&frec__registers_x86_64, &cpu, &stack,
							0x10000};

	cpu.value[7] = 0x7000;
	cpu.value[9] = 1;
	cpu.value[16] = 0x40102b;
	return frec__expression(&context, bytes, size, initial, ret);
}

#define GIVES(expected, ...) \
	do { \
		static const uint8_t bytes[] = {__VA_ARGS__}; \
		uint64_t value = 0; \
		assert_int_equal(evaluate(bytes, sizeof(bytes), NULL, &value), 0); \
		assert_int_equal(value, expected); \
	} while (0)

#define FAILS(error, ...) \
	do { \
		static const uint8_t bytes[] = {__VA_ARGS__}; \
		uint64_t value = 0; \
		assert_int_equal(evaluate(bytes, sizeof(bytes), NULL, &value), error); \
	} while (0)

static void numbers(void **state)
{
	(void)state;
	GIVES(31, DW_OP_lit31);
	GIVES(-2ull, DW_OP_const1s, 0xfe);
	GIVES(0xfffe, DW_OP_const2u, 0xfe, 0xff);
	GIVES(-2ull, DW_OP_const4s, 0xfe, 0xff, 0xff, 0xff);
	GIVES(0x0807060504030201, DW_OP_const8u, 1, 2, 3, 4, 5, 6, 7, 8);
	GIVES(300, DW_OP_constu, 0xac, 0x02);
	GIVES(-300ull, DW_OP_consts, 0xd4, 0x7d);
	GIVES(0x10005, DW_OP_addr, 5, 0, 0, 0, 0, 0, 0, 0);
}

static void arithmetic(void **state)
{
	(void)state;
	GIVES(3, DW_OP_lit10, DW_OP_lit7, DW_OP_minus);
	GIVES(-3ull, DW_OP_lit6, DW_OP_neg, DW_OP_lit2, DW_OP_div);
	GIVES(1ull << 63, DW_OP_lit1, DW_OP_const1u, 63, DW_OP_shl, DW_OP_const1s, 0xff, DW_OP_div);
	GIVES(0, DW_OP_lit1, DW_OP_const1u, 64, DW_OP_shl);
	GIVES(-1ull, DW_OP_const1s, 0x80, DW_OP_const1u, 200, DW_OP_shra);
	GIVES(1, DW_OP_const1s, 0xff, DW_OP_lit1, DW_OP_lt);
	GIVES(12, DW_OP_lit5, DW_OP_plus_uconst, 7);
	GIVES(3, DW_OP_lit3, DW_OP_neg, DW_OP_abs);
	FAILS(-EBADMSG, DW_OP_lit1, DW_OP_lit0, DW_OP_div);
	FAILS(-EBADMSG, DW_OP_lit1, DW_OP_lit0, DW_OP_mod);
}

static void order_on_the_stack(void **state)
{
	(void)state;
	GIVES(1, DW_OP_lit5, DW_OP_lit4, DW_OP_swap, DW_OP_minus, DW_OP_neg);
	// 1 2 3 becomes 3 1 2
	GIVES(2, DW_OP_lit1, DW_OP_lit2, DW_OP_lit3, DW_OP_rot);
	GIVES(1, DW_OP_lit1, DW_OP_lit2, DW_OP_lit3, DW_OP_rot, DW_OP_drop);
	GIVES(3, DW_OP_lit1, DW_OP_lit2, DW_OP_lit3, DW_OP_rot, DW_OP_drop, DW_OP_drop);
	GIVES(7, DW_OP_lit7, DW_OP_lit8, DW_OP_lit9, DW_OP_pick, 2);
	GIVES(8, DW_OP_lit8, DW_OP_lit9, DW_OP_over);
	FAILS(-EBADMSG, DW_OP_lit1, DW_OP_lit2, DW_OP_rot);
	FAILS(-EBADMSG, DW_OP_plus);
	FAILS(-EBADMSG, DW_OP_lit1, DW_OP_pick, 1);
	FAILS(-EBADMSG, DW_OP_nop);
}

static void memory_and_registers(void **state)
{
	(void)state;
	GIVES(0x2222, DW_OP_breg7, 8, DW_OP_deref);
	GIVES(0x2211, DW_OP_breg7, 16, DW_OP_deref_size, 2);
	GIVES(0x40102b, DW_OP_bregx, 16, 0);
	// The CFA of a hand-written function, which keeps it in a table on the stack.
	GIVES(0x2222 + 8, DW_OP_breg7, 0, DW_OP_breg9, 0, DW_OP_lit8, DW_OP_mul, DW_OP_plus,
	      DW_OP_deref, DW_OP_plus_uconst, 8);
	FAILS(-ENXIO, DW_OP_breg3, 0);
	FAILS(-ENXIO, DW_OP_bregx, 0x80, 0x01, 0);
	FAILS(-EBADMSG, DW_OP_breg7, 0, DW_OP_deref_size, 9);
	FAILS(-EFAULT, DW_OP_breg7, 25, DW_OP_deref);
	FAILS(-EFAULT, DW_OP_breg7, 0x7f, DW_OP_deref);
}

static void the_first_value_and_the_address_that_failed(void **state)
{
	static const uint8_t bytes[] = {DW_OP_lit16, DW_OP_minus},
			     far[] = {DW_OP_lit0, DW_OP_deref};
	uint64_t initial = 0x7020, value = 1;

	(void)state;
	assert_int_equal(evaluate(bytes, sizeof(bytes), &initial, &value), 0);
	assert_int_equal(value, 0x7010);
	assert_int_equal(evaluate(far, sizeof(far), NULL, &value), -EFAULT);
	assert_int_equal(value, 0);
}

static void branches_end(void **state)
{
	(void)state;
	GIVES(2, DW_OP_lit1, DW_OP_bra, 2, 0, DW_OP_lit1, DW_OP_nop, DW_OP_lit2);
	GIVES(4, DW_OP_lit0, DW_OP_bra, 1, 0, DW_OP_lit4);
	FAILS(-EBADMSG, DW_OP_lit1, DW_OP_skip, 0xfd, 0xff);
	FAILS(-EBADMSG, DW_OP_lit1, DW_OP_skip, 0xf0, 0xff);
	FAILS(-EBADMSG, DW_OP_lit1, DW_OP_skip, 1, 0);
	FAILS(-EBADMSG, DW_OP_lit1, DW_OP_skip, 0xfc, 0xff); // pushes forever
	FAILS(-EBADMSG, DW_OP_constu, 0x80);
	FAILS(-EBADMSG, DW_OP_lit1, 0xff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(arithmetic),
		cmocka_unit_test(order_on_the_stack),
		cmocka_unit_test(memory_and_registers),
		cmocka_unit_test(the_first_value_and_the_address_that_failed),
		cmocka_unit_test(branches_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
