/* SPDX-License-Identifier: MIT */
/* DWARF expressions: DWARF 5, section 2.5, as far as call frame information uses them. */
#ifndef FREC_UNWIND_EXPRESSION_H
#define FREC_UNWIND_EXPRESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "unwind/memory.h"
#include "unwind/registers.h"

/* The registers of a thread in one frame, by DWARF number, as far as they are known. */
struct frec_cpu {
	uint64_t pc;
	uint64_t known; /* bit n: `value[n]` is known */
	/* where a register was saved that is unknown because memory is missing there; 0: none is */
	uint64_t missing;
	uint64_t value[FREC_DWARF_REGISTERS];
};

/* A frame: everything that an expression can refer to. */
struct frec_expression_context {
	const struct frec_registers *machine;
	const struct frec_cpu *cpu;
	const struct frec_stack *stack;
	uint64_t bias; /* address in the process minus address in the module's file */
};

/*
 * Evaluates the expression of `size` bytes, with `*initial` on its stack at the start unless
 * `initial` is NULL. Returns 0, with the value that is on top at the end in `*ret`; -EBADMSG if the
 * expression makes no sense, or takes too many steps; -EFAULT if it reads memory that was not
 * recorded, at the address `*ret`; -ENXIO if it reads a register whose value is unknown.
 */
int frec__expression(const struct frec_expression_context *context, const uint8_t *expression,
		     uint32_t size, const uint64_t *initial, uint64_t *ret);

/* Reads DWARF register `number` of `cpu`. Returns false if its value is unknown. On x86_64 the pc
 * has a DWARF number too. */
static inline bool frec__cpu_get(const struct frec_registers *machine, const struct frec_cpu *cpu,
				 uint64_t number, uint64_t *ret)
{
	if (number >= machine->dwarf_count || !(cpu->known >> number & 1))
		return false;
	*ret = cpu->value[number];
	return true;
}

#endif
