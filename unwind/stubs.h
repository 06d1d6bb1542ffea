/* SPDX-License-Identifier: MIT */
/* Names of the stubs through which a program calls functions of other modules: malloc@plt. */
#ifndef FREC_UNWIND_STUBS_H
#define FREC_UNWIND_STUBS_H

#include "unwind/registers.h"
#include "unwind/symbols.h"

/* Adds the stubs in `elf`, the file that was mapped, to the sorted symbols of its module, and sorts
 * the symbols again. A stub has the name of the function that its slot is relocated to. */
void frec__stubs_add(struct frec_symbols *symbols, const struct frec_elf *elf,
		     const struct frec_registers *machine);

#endif
