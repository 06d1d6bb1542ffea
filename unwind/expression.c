// SPDX-License-Identifier: MIT
// A stack machine with bounds on its stack and its steps: an expression can branch backwards, so it
// could run for ever.
#include "unwind/expression.h"

#include <dwarf.h>
#include <errno.h>

#include "proto/bytes.h"

#define DEPTH_MAX 64
#define STEPS_MAX 1000

struct machine {
	uint64_t stack[DEPTH_MAX];
	unsigned int depth;
	bool failed; // more was taken than there was, or put than fits
};

static void push(struct machine *machine, uint64_t value)
{
	if (machine->depth == DEPTH_MAX)
		machine->failed = true;
	else
		machine->stack[machine->depth++] = value;
}

static uint64_t pop(struct machine *machine)
{
	if (machine->depth)
		return machine->stack[--machine->depth];
	machine->failed = true;
	return 0;
}

static uint64_t pick(struct machine *machine, uint64_t index)
{
	if (index < machine->depth)
		return machine->stack[machine->depth - 1 - index];
	machine->failed = true;
	return 0;
}

// False: not an operation on two numbers.
static bool binary(struct machine *machine, uint8_t code)
{
	bool both = machine->depth >= 2;
	uint64_t b = both ? machine->stack[machine->depth - 1] : 1;
	uint64_t a = both ? machine->stack[machine->depth - 2] : 0, result;
	int64_t signed_a = (int64_t)a, signed_b = (int64_t)b;

	switch (code) {
	case DW_OP_and:
		result = a & b;
		break;
	case DW_OP_or:
		result = a | b;
		break;
	case DW_OP_xor:
		result = a ^ b;
		break;
	case DW_OP_plus:
		result = a + b;
		break;
	case DW_OP_minus:
		result = a - b;
		break;
	case DW_OP_mul:
		result = a * b;
		break;
	case DW_OP_div:
		machine->failed |= !b;
		// The one quotient that does not fit is what negation gives.
		result = !b ? 0 : signed_b == -1 ? -a : (uint64_t)(signed_a / signed_b);
		break;
	case DW_OP_mod:
		machine->failed |= !b;
		result = b ? a % b : 0;
		break;
	case DW_OP_shl:
		result = b < 64 ? a << b : 0;
		break;
	case DW_OP_shr:
		result = b < 64 ? a >> b : 0;
		break;
	case DW_OP_shra:
		result = (uint64_t)(signed_a >> (b < 64 ? b : 63));
		break;
	case DW_OP_eq:
		result = a == b;
		break;
	case DW_OP_ne:
		result = a != b;
		break;
	case DW_OP_lt:
		result = signed_a < signed_b;
		break;
	case DW_OP_le:
		result = signed_a <= signed_b;
		break;
	case DW_OP_gt:
		result = signed_a > signed_b;
		break;
	case DW_OP_ge:
		result = signed_a >= signed_b;
		break;
	default:
		return false;
	}
	machine->failed |= !both;
	if (both)
		machine->stack[--machine->depth - 1] = result;
	return true;
}

static int unary(struct machine *machine, uint8_t code, struct frec_bytes *cursor)
{
	uint64_t value;

	switch (code) {
	case DW_OP_nop:
		break;
	case DW_OP_dup:
		push(machine, pick(machine, 0));
		break;
	case DW_OP_over:
		push(machine, pick(machine, 1));
		break;
	case DW_OP_pick:
		push(machine, pick(machine, frec__bytes_number(cursor, 1)));
		break;
	case DW_OP_drop:
		pop(machine);
		break;
	case DW_OP_swap:
	case DW_OP_rot: {
		unsigned int distance = code == DW_OP_swap ? 1 : 2;

		value = pick(machine, 0);
		if (machine->depth <= distance)
			return -EBADMSG;
		for (unsigned int i = 1; i <= distance; i++)
			machine->stack[machine->depth - i] = machine->stack[machine->depth - i - 1];
		machine->stack[machine->depth - 1 - distance] = value;
		break;
	}
	case DW_OP_abs:
		value = pop(machine);
		push(machine, (int64_t)value < 0 ? -value : value);
		break;
	case DW_OP_neg:
		push(machine, -pop(machine));
		break;
	case DW_OP_not:
		push(machine, ~pop(machine));
		break;
	case DW_OP_plus_uconst:
		push(machine, pop(machine) + frec__bytes_uleb(cursor));
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

// What needs the thread: a register plus an offset.
static int from_register(const struct frec_expression_context *context, uint8_t code,
			 struct frec_bytes *cursor, struct machine *machine)
{
	uint64_t number =
		code == DW_OP_bregx ? frec__bytes_uleb(cursor) : (uint64_t)code - DW_OP_breg0;
	int64_t offset = frec__bytes_sleb(cursor);
	uint64_t value;

	if (!frec__cpu_get(context->machine, context->cpu, number, &value))
		return -ENXIO;
	push(machine, value + (uint64_t)offset);
	return 0;
}

static int dereference(const struct frec_expression_context *context, struct machine *machine,
		       uint64_t size, uint64_t *ret_address)
{
	uint64_t address = pop(machine), value, offset = address - context->stack->address;

	if (!size || size > 8)
		return -EBADMSG;
	if (offset >= context->stack->size || context->stack->size - offset < size) {
		*ret_address = address;
		return -EFAULT;
	}
	value = 0;
	memcpy(&value, context->stack->data + offset, size);
	push(machine, value);
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
		const uint8_t *start, struct machine *machine, uint64_t *ret)
{
	uint8_t code = (uint8_t)frec__bytes_number(cursor, 1);
	uint64_t value;

	if (constant(code, cursor, &value)) {
		push(machine, value);
		return 0;
	}
	if ((code >= DW_OP_breg0 && code <= DW_OP_breg31) || code == DW_OP_bregx)
		return from_register(context, code, cursor, machine);
	switch (code) {
	case DW_OP_addr:
		push(machine, frec__bytes_number(cursor, 8) + context->bias);
		return 0;
	case DW_OP_deref:
		return dereference(context, machine, 8, ret);
	case DW_OP_deref_size:
		return dereference(context, machine, frec__bytes_number(cursor, 1), ret);
	case DW_OP_skip:
		branch(cursor, start);
		return 0;
	case DW_OP_bra:
		if (pop(machine))
			branch(cursor, start);
		else
			frec__bytes_take(cursor, 2);
		return 0;
	default:
		return binary(machine, code) ? 0 : unary(machine, code, cursor);
	}
}

int frec__expression(const struct frec_expression_context *context, const uint8_t *expression,
		     uint32_t size, const uint64_t *initial, uint64_t *ret)
{
	struct frec_bytes cursor = frec__bytes(expression, size);
	struct machine machine;
	unsigned int steps = 0;

	machine.depth = 0;
	machine.failed = false;
	if (initial)
		push(&machine, *initial);
	while (cursor.at < cursor.end) {
		int r = step(context, &cursor, expression, &machine, ret);

		if (cursor.failed || machine.failed || ++steps > STEPS_MAX)
			return -EBADMSG;
		if (r)
			return r;
	}
	if (!machine.depth)
		return -EBADMSG;
	*ret = pop(&machine);
	return 0;
}
