/* SPDX-License-Identifier: MIT */
/* Names of the stubs that a program calls other modules' functions through: malloc@plt. */
#ifndef FREC_UNWIND_STUBS_H
#define FREC_UNWIND_STUBS_H

#include "unwind/registers.h"
#include "unwind/symbols.h"

/*
 * Adds the stubs of `elf`, the file that was mapped, to `symbols`, which are sorted and of the same
 * module, and sorts them again. A stub has the name of the function that its slot is relocated to.
 */
void frec__stubs_add(struct frec_symbols *symbols, const struct frec_elf *elf,
		     const struct frec_registers *machine);

#endif
