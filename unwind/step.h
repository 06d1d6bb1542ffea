/* SPDX-License-Identifier: MIT */
/* From one frame to its caller, by the whole rules: the slow way, that knows every register. */
#ifndef FREC_UNWIND_STEP_H
#define FREC_UNWIND_STEP_H

#include "unwind/cfi.h"
#include "unwind/expression.h"

/*
 * Whether what is saved at `address`, of which no bytes were recorded, has its register back
 * already. Compilers do not say so where a function ends: the CFI then names a place below the
 * stack pointer, and recorded stacks begin at the stack pointer.
 */
static inline bool frec__step_is_popped(const struct frec_registers *machine,
					const struct frec_cpu *cpu, uint64_t address)
{
	return address < cpu->value[machine->dwarf_sp];
}

/*
 * Turns `cpu` into the caller's. What cannot be known of the caller (caller-saved registers, what
 * was saved where no bytes were recorded) is then unknown in it. 0; 1: there is no caller; -EFAULT:
 * memory at `*ret_address` was not recorded; -ENXIO: a register is needed that is not known;
 * -EBADMSG: the rules make no sense.
 */
int frec__step(const struct frec_registers *machine, const struct frec_fde *fde,
	       const struct frec_rules *rules, const struct frec_stack *stack, uint64_t bias,
	       struct frec_cpu *cpu, uint64_t *ret_address);

/* The same from what a signal handler returns to: the kernel has saved all registers on the stack.
 * 0, or -EFAULT. */
int frec__step_sigreturn(const struct frec_registers *machine, const struct frec_stack *stack,
			 struct frec_cpu *cpu, uint64_t *ret_address);

#endif
