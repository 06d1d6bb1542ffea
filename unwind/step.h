/* SPDX-License-Identifier: MIT */
/* Steps from a frame to its caller with the complete CFI rules. This is slower than using a row,
 * but covers all registers, not only the few that a row describes. */
#ifndef FREC_UNWIND_STEP_H
#define FREC_UNWIND_STEP_H

#include "unwind/cfi.h"
#include "unwind/expression.h"

/*
 * The CFI says that a register is saved at `address`, but no bytes were recorded there. Returns
 * whether the register has been restored already. Compilers do not emit CFI for each pop at the end
 * of a function, so the CFI can name a slot that is already below the stack pointer, where recorded
 * stacks begin.
 */
static inline bool frec__step_is_popped(const struct frec_registers *machine,
					const struct frec_cpu *cpu, uint64_t address)
{
	return address < cpu->value[machine->dwarf_sp];
}

/*
 * Computes the caller's registers. `ret` may be the frame's own `context->cpu`. Registers that
 * cannot be recovered (caller-saved ones, and those saved where no bytes were recorded) are unknown
 * in `ret`. Returns 0; 1 if there is no caller; -EFAULT if memory at `*ret_address` is needed but
 * was not recorded; -ENXIO if an unknown register is needed; -EBADMSG if the rules make no sense.
 */
int frec__step(const struct frec_expression_context *context, const struct frec_fde *fde,
	       const struct frec_rules *rules, struct frec_cpu *ret, uint64_t *ret_address);

/*
 * Replaces `cpu` with the registers of the code that a signal interrupted. The kernel saved them on
 * the stack. The frame has to be at the instructions that a signal handler returns to. Returns 0,
 * or -EFAULT if memory at `*ret_address` was not recorded.
 */
int frec__step_sigreturn(const struct frec_registers *machine, const struct frec_stack *stack,
			 struct frec_cpu *cpu, uint64_t *ret_address);

#endif
