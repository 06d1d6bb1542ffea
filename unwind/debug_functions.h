/* SPDX-License-Identifier: MIT */
/* The functions of one unit of .debug_info, and the calls that were inlined into them. */
#ifndef FREC_UNWIND_DEBUG_FUNCTIONS_H
#define FREC_UNWIND_DEBUG_FUNCTIONS_H

#include <elfutils/libdw.h>

#include "unwind/address_index.h"
#include "unwind/debug_info.h"

/*
 * `steps` is how many more entries may be read: both functions count it down, and stop searching
 * when it is 0. This limits the time that all lookups in one module's debugging information take
 * together.
 */

/* Fills `functions` with the address ranges of all functions that have code. The value of a range
 * is the function's offset for dwarf_offdie(). */
void frec__debug_functions_index(const Dwarf_Die *unit, struct frec_address_index *functions,
				 uint64_t *steps);

/*
 * Finds the function whose offset for dwarf_offdie() is `offset`, and the calls inlined into it at
 * `address`, innermost first. File, line and column of the innermost are not filled in. Returns how
 * many there are, at most FREC_INLINED_MAX + 1, or 0 if nothing is at `offset`.
 */
size_t frec__debug_functions_find(Dwarf_Die *unit, uint64_t offset, uint64_t address,
				  struct frec_debug_function *functions, uint64_t *steps);

#endif
