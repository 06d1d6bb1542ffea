// SPDX-License-Identifier: MIT
// The stack machine of DWARF expressions, with limits on its stack and its steps, because an
// expression can branch backwards, and so could run forever.
#include "unwind/expression.h"

#include <dwarf.h>
#include <errno.h>

#include "proto/bytes.h"

#define DEPTH_MAX 64
#define STEPS_MAX 1000

// The stack on which the expression computes.
struct operands {
	uint64_t values[DEPTH_MAX];
	unsigned int depth;
	bool failed; // overflow, underflow or a division by zero
};

static void push(struct operands *operands, uint64_t value)
{
	if (operands->depth == DEPTH_MAX)
		operands->failed = true;
	else
		operands->values[operands->depth++] = value;
}

static uint64_t pop(struct operands *operands)
{
	if (operands->depth)
		return operands->values[--operands->depth];
	operands->failed = true;
	return 0;
}

static uint64_t pick(struct operands *operands, uint64_t index)
{
	if (index < operands->depth)
		return operands->values[operands->depth - 1 - index];
	operands->failed = true;
	return 0;
}

// Computes an arithmetic or logical operation on two numbers. Returns false if `code` is another
// operation.
static bool calculate(uint8_t code, uint64_t a, uint64_t b, uint64_t *ret)
{
	switch (code) {
	case DW_OP_and:
		*ret = a & b;
		return true;
	case DW_OP_or:
		*ret = a | b;
		return true;
	case DW_OP_xor:
		*ret = a ^ b;
		return true;
	case DW_OP_plus:
		*ret = a + b;
		return true;
	case DW_OP_minus:
		*ret = a - b;
		return true;
	case DW_OP_mul:
		*ret = a * b;
		return true;
	case DW_OP_div:
		// Division by -1 is done as a negation, because INT64_MIN / -1 overflows and would
		// trap.
		*ret = !b ? 0 : (int64_t)b == -1 ? -a : (uint64_t)((int64_t)a / (int64_t)b);
		return true;
	case DW_OP_mod:
		*ret = b ? a % b : 0;
		return true;
	case DW_OP_shl:
		*ret = b < 64 ? a << b : 0;
		return true;
	case DW_OP_shr:
		*ret = b < 64 ? a >> b : 0;
		return true;
	case DW_OP_shra:
		*ret = (uint64_t)((int64_t)a >> (b < 64 ? b : 63));
		return true;
	default:
		return false;
	}
}

// Computes a comparison. Returns false if `code` is another operation.
static bool compare(uint8_t code, int64_t a, int64_t b, uint64_t *ret)
{
	switch (code) {
	case DW_OP_eq:
		*ret = a == b;
		return true;
	case DW_OP_ne:
		*ret = a != b;
		return true;
	case DW_OP_lt:
		*ret = a < b;
		return true;
	case DW_OP_le:
		*ret = a <= b;
		return true;
	case DW_OP_gt:
		*ret = a > b;
		return true;
	case DW_OP_ge:
		*ret = a >= b;
		return true;
	default:
		return false;
	}
}

// Computes an operation on two numbers. Returns false if `code` is another operation.
static bool binary(struct operands *operands, uint8_t code)
{
	bool both = operands->depth >= 2;
	uint64_t b = both ? operands->values[operands->depth - 1] : 1;
	uint64_t a = both ? operands->values[operands->depth - 2] : 0, value;

	if (!calculate(code, a, b, &value) && !compare(code, (int64_t)a, (int64_t)b, &value))
		return false;
	if (!both || (!b && (code == DW_OP_div || code == DW_OP_mod)))
		operands->failed = true;
	else
		operands->values[--operands->depth - 1] = value;
	return true;
}

static int unary(struct operands *operands, uint8_t code, struct frec_bytes *cursor)
{
	uint64_t value;

	switch (code) {
	case DW_OP_nop:
		break;
	case DW_OP_dup:
		push(operands, pick(operands, 0));
		break;
	case DW_OP_over:
		push(operands, pick(operands, 1));
		break;
	case DW_OP_pick:
		push(operands, pick(operands, frec__bytes_number(cursor, 1)));
		break;
	case DW_OP_drop:
		pop(operands);
		break;
	case DW_OP_swap:
	case DW_OP_rot: {
		unsigned int distance = code == DW_OP_swap ? 1 : 2;

		value = pick(operands, 0);
		if (operands->depth <= distance)
			return -EBADMSG;
		for (unsigned int i = 1; i <= distance; i++)
			operands->values[operands->depth - i] =
				operands->values[operands->depth - i - 1];
		operands->values[operands->depth - 1 - distance] = value;
		break;
	}
	case DW_OP_abs:
		value = pop(operands);
		push(operands, (int64_t)value < 0 ? -value : value);
		break;
	case DW_OP_neg:
		push(operands, -pop(operands));
		break;
	case DW_OP_not:
		push(operands, ~pop(operands));
		break;
	case DW_OP_plus_uconst:
		push(operands, pop(operands) + frec__bytes_uleb(cursor));
		break;
	default:
		return -EBADMSG;
	}
	return 0;
}

static bool constant(uint8_t code, struct frec_bytes *cursor, uint64_t *ret)
{
	switch (code) {
	case DW_OP_const1u:
		*ret = frec__bytes_number(cursor, 1);
		break;
	case DW_OP_const1s:
		*ret = (uint64_t)frec__bytes_signed(cursor, 1);
		break;
	case DW_OP_const2u:
		*ret = frec__bytes_number(cursor, 2);
		break;
	case DW_OP_const2s:
		*ret = (uint64_t)frec__bytes_signed(cursor, 2);
		break;
	case DW_OP_const4u:
		*ret = frec__bytes_number(cursor, 4);
		break;
	case DW_OP_const4s:
		*ret = (uint64_t)frec__bytes_signed(cursor, 4);
		break;
	case DW_OP_const8u:
	case DW_OP_const8s:
		*ret = frec__bytes_number(cursor, 8);
		break;
	case DW_OP_constu:
		*ret = frec__bytes_uleb(cursor);
		break;
	case DW_OP_consts:
		*ret = (uint64_t)frec__bytes_sleb(cursor);
		break;
	default:
		if (code < DW_OP_lit0 || code > DW_OP_lit31)
			return false;
		*ret = code - DW_OP_lit0;
	}
	return true;
}

// DW_OP_breg*: a register plus an offset.
static int from_register(const struct frec_expression_context *context, uint8_t code,
			 struct frec_bytes *cursor, struct operands *operands)
{
	uint64_t number =
		code == DW_OP_bregx ? frec__bytes_uleb(cursor) : (uint64_t)code - DW_OP_breg0;
	int64_t offset = frec__bytes_sleb(cursor);
	uint64_t value;

	if (!frec__cpu_get(context->machine, context->cpu, number, &value))
		return -ENXIO;
	push(operands, value + (uint64_t)offset);
	return 0;
}

static int dereference(const struct frec_expression_context *context, struct operands *operands,
		       uint64_t size, uint64_t *ret_address)
{
	uint64_t address = pop(operands), value = 0;

	if (!size || size > 8)
		return -EBADMSG;
	if (!frec__stack_bytes(context->stack, address, &value, size)) {
		*ret_address = address;
		return -EFAULT;
	}
	push(operands, value);
	return 0;
}

static void branch(struct frec_bytes *cursor, const uint8_t *start)
{
	int64_t distance = frec__bytes_signed(cursor, 2);

	if (distance < start - cursor->at || distance > cursor->end - cursor->at)
		frec__bytes_fail(cursor);
	else
		cursor->at += distance;
}

static int step(const struct frec_expression_context *context, struct frec_bytes *cursor,
		const uint8_t *start, struct operands *operands, uint64_t *ret)
{
	uint8_t code = (uint8_t)frec__bytes_number(cursor, 1);
	uint64_t value;

	if (constant(code, cursor, &value)) {
		push(operands, value);
		return 0;
	}
	if ((code >= DW_OP_breg0 && code <= DW_OP_breg31) || code == DW_OP_bregx)
		return from_register(context, code, cursor, operands);
	switch (code) {
	case DW_OP_addr:
		push(operands, frec__bytes_number(cursor, 8) + context->bias);
		return 0;
	case DW_OP_deref:
		return dereference(context, operands, 8, ret);
	case DW_OP_deref_size:
		return dereference(context, operands, frec__bytes_number(cursor, 1), ret);
	case DW_OP_skip:
		branch(cursor, start);
		return 0;
	case DW_OP_bra:
		if (pop(operands))
			branch(cursor, start);
		else
			frec__bytes_take(cursor, 2);
		return 0;
	default:
		return binary(operands, code) ? 0 : unary(operands, code, cursor);
	}
}

int frec__expression(const struct frec_expression_context *context, const uint8_t *expression,
		     uint32_t size, const uint64_t *initial, uint64_t *ret)
{
	struct frec_bytes cursor = frec__bytes(expression, size);
	struct operands operands;
	unsigned int steps = 0;

	operands.depth = 0;
	operands.failed = false;
	if (initial)
		push(&operands, *initial);
	while (cursor.at < cursor.end) {
		int r = step(context, &cursor, expression, &operands, ret);

		if (cursor.failed || operands.failed || ++steps > STEPS_MAX)
			return -EBADMSG;
		if (r)
			return r;
	}
	if (!operands.depth)
		return -EBADMSG;
	*ret = pop(&operands);
	return 0;
}
