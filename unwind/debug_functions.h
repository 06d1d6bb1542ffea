/* SPDX-License-Identifier: MIT */
/* The functions of one unit of .debug_info, and what was inlined into them. */
#ifndef FREC_UNWIND_DEBUG_FUNCTIONS_H
#define FREC_UNWIND_DEBUG_FUNCTIONS_H

#include <elfutils/libdw.h>

#include "unwind/address_index.h"
#include "unwind/debug_info.h"

/*
 * `steps` are taken from for everything that is looked at, so that no tree, in all questions about
 * it together, takes longer than that; with none left, nothing is found.
 */

/* Fills `functions` with the ranges of all functions that have code; their values are offsets for
 * dwarf_offdie. */
void frec__debug_functions_index(const Dwarf_Die *unit, struct frec_address_index *functions,
				 uint64_t *steps);

/*
 * The function at `offset` of the unit's file and the calls that were inlined at `address`, the
 * innermost first, without its line. Returns how many, at most FREC_INLINED_MAX + 1.
 */
size_t frec__debug_functions_find(Dwarf_Die *unit, uint64_t offset, uint64_t address,
				  struct frec_debug_function *functions, uint64_t *steps);

#endif
