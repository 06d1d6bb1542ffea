/* SPDX-License-Identifier: MIT */
/*
 * Functions, inlined calls, files and lines by DWARF's .debug_info and .debug_line.
 *
 * What is indexed is indexed when it is needed: the addresses of all units at the first question,
 * the functions of a unit and its lines at the first question about that unit.
 */
#ifndef FREC_UNWIND_DEBUG_INFO_H
#define FREC_UNWIND_DEBUG_INFO_H

#include "unwind/elf_file.h"

/* Calls inlined into one another deeper than this are cut at the outer end. */
#define FREC_INLINED_MAX 64

struct frec_debug_info;

/* `alternate` is what .gnu_debugaltlink names, or NULL. NULL: there is no debugging information, or
 * it cannot be read. */
struct frec_debug_info *frec__debug_info_create(const struct frec_elf *elf,
						const struct frec_elf *alternate);
void frec__debug_info_destroy(struct frec_debug_info *info);

/* One function at an address, the innermost first. Strings belong to the debugging information. */
struct frec_debug_function {
	const char *name;	   /* mangled where there is such a name; NULL: unknown */
	const char *file;	   /* NULL: unknown */
	unsigned int line, column; /* 0: unknown */
	uint64_t start;		   /* of the function that the others were inlined into; else 0 */
};

/* Fills `functions`, FREC_INLINED_MAX + 1 of them, and returns how many: 0 where nothing is
 * known. */
size_t frec__debug_info_find(struct frec_debug_info *info, uint64_t address,
			     struct frec_debug_function *functions);

#endif
