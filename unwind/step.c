// SPDX-License-Identifier: MIT
// Applies the rules of a frame to every register that unwinding follows.
#include "unwind/step.h"

#include <errno.h>

static int load(const struct frec_stack *stack, uint64_t address, uint64_t *ret,
		uint64_t *ret_address)
{
	if (frec__stack_read(stack, address, ret))
		return 0;
	*ret_address = address;
	return -EFAULT;
}

static int get(const struct frec_expression_context *context, unsigned int regno, uint64_t *ret)
{
	return frec__cpu_get(context->machine, context->cpu, regno, ret) ? 0 : -ENXIO;
}

static int evaluate_cfa(const struct frec_expression_context *context, const struct frec_rule *cfa,
			uint64_t *ret, uint64_t *ret_address)
{
	uint64_t value = 0;
	int r;

	switch (cfa->kind) {
	case FREC_RULE_REGISTER:
		r = get(context, cfa->regno, &value);
		*ret = value + (uint64_t)cfa->offset;
		return r;
	case FREC_RULE_VALUE_EXPRESSION:
		r = frec__expression(context, cfa->expression, cfa->size, NULL, &value);
		*(r ? ret_address : ret) = value;
		return r;
	default:
		return -EBADMSG;
	}
}

// Computes the value that register `regno` has in the caller. Returns 0, -EFAULT, -ENXIO or
// -EBADMSG, with the meanings that frec__step() gives them.
static int evaluate(const struct frec_expression_context *context, const struct frec_rule *rule,
		    unsigned int regno, uint64_t cfa, uint64_t *ret, uint64_t *ret_address)
{
	const struct frec_registers *machine = context->machine;
	uint64_t value = 0;
	int r;

	switch (rule->kind) {
	case FREC_RULE_UNSPECIFIED:
		if (regno == machine->dwarf_sp) {
			*ret = cfa;
			return 0;
		}
		return machine->callee_saved >> regno & 1 ? get(context, regno, ret) : -ENXIO;
	case FREC_RULE_SAME:
		return get(context, regno, ret);
	case FREC_RULE_OFFSET:
		value = cfa + (uint64_t)rule->offset;
		r = load(context->stack, value, ret, ret_address);
		if (r && frec__step_is_popped(machine, context->cpu, value))
			return get(context, regno, ret);
		return r;
	case FREC_RULE_VALUE_OFFSET:
		*ret = cfa + (uint64_t)rule->offset;
		return 0;
	case FREC_RULE_REGISTER:
		r = get(context, rule->regno, &value);
		*ret = value + (uint64_t)rule->offset;
		return r;
	case FREC_RULE_EXPRESSION:
	case FREC_RULE_VALUE_EXPRESSION:
		r = frec__expression(context, rule->expression, rule->size, &cfa, &value);
		if (r) {
			*ret_address = value;
			return r;
		}
		if (rule->kind == FREC_RULE_EXPRESSION)
			return load(context->stack, value, ret, ret_address);
		*ret = value;
		return 0;
	default:
		return -ENXIO;
	}
}

int frec__step(const struct frec_expression_context *context, const struct frec_fde *fde,
	       const struct frec_rules *rules, struct frec_cpu *ret, uint64_t *ret_address)
{
	const struct frec_registers *machine = context->machine;
	struct frec_cpu caller = {.missing = context->cpu->missing};
	uint64_t cfa;
	int r;

	if (fde->return_register >= machine->dwarf_count)
		return -EBADMSG;
	if (rules->registers[fde->return_register].kind == FREC_RULE_UNDEFINED)
		return 1;
	r = evaluate_cfa(context, &rules->cfa, &cfa, ret_address);
	if (r)
		return r;
	for (unsigned int i = 0; i < machine->dwarf_count; i++) {
		uint64_t address = 0;

		r = evaluate(context, &rules->registers[i], i, cfa, &caller.value[i], &address);
		if (!r) {
			caller.known |= 1ull << i;
		} else if (r == -EFAULT && i != fde->return_register) {
			caller.missing = address;
		} else if (i == fde->return_register) {
			*ret_address = address;
			return r;
		}
	}
	caller.pc = caller.value[fde->return_register] & machine->address_mask;
	*ret = caller;
	return 0;
}

int frec__step_sigreturn(const struct frec_registers *machine, const struct frec_stack *stack,
			 struct frec_cpu *cpu, uint64_t *ret_address)
{
	const struct frec_sigreturn *sigreturn = &machine->sigreturn;
	uint64_t sp = cpu->value[machine->dwarf_sp];
	struct frec_cpu interrupted = {.known = 0};

	if (load(stack, sp + sigreturn->saved_pc, &interrupted.pc, ret_address))
		return -EFAULT;
	for (unsigned int i = 0; i < machine->dwarf_count; i++) {
		if (load(stack, sp + sigreturn->saved[i], &interrupted.value[i], ret_address))
			return -EFAULT;
		interrupted.known |= 1ull << i;
	}
	*cpu = interrupted;
	return 0;
}
