/* SPDX-License-Identifier: MIT */
/* DWARF expressions, DWARF 5 chapter 2.5, as far as call frame information uses them. */
#ifndef FREC_UNWIND_EXPRESSION_H
#define FREC_UNWIND_EXPRESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "unwind/memory.h"
#include "unwind/registers.h"

/* What a thread's registers hold in one frame, by DWARF number, as far as that is known. */
struct frec_cpu {
	uint64_t pc;
	uint64_t known; /* bit n: DWARF register n */
	uint64_t value[FREC_DWARF_REGISTERS];
};

struct frec_expression_context {
	const struct frec_registers *machine;
	const struct frec_cpu *cpu;
	const struct frec_stack *stack;
	uint64_t bias; /* what turns an address of the module's file into one of the process */
};

/*
 * Evaluates `size` bytes at `expression`, with `initial` on the stack first where it is not NULL,
 * and gives what is on top in the end. -EBADMSG: the expression makes no sense, or takes more than
 * the steps allowed; -EFAULT: it reads memory that was not recorded, `*ret` is the address; -ENXIO:
 * it reads a register that is not known.
 */
int frec__expression(const struct frec_expression_context *context, const uint8_t *expression,
		     uint32_t size, const uint64_t *initial, uint64_t *ret);

/* Reads DWARF register `number` of `cpu`; false where its value is unknown. The pc has a number on
 * x86_64. */
static inline bool frec__cpu_get(const struct frec_registers *machine, const struct frec_cpu *cpu,
				 uint64_t number, uint64_t *ret)
{
	if (number >= machine->dwarf_count || !(cpu->known >> number & 1))
		return false;
	*ret = cpu->value[number];
	return true;
}

#endif
