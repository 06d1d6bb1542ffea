/* SPDX-License-Identifier: MIT */
/*
 * Functions, inlined calls, files and lines from DWARF's .debug_info and .debug_line.
 *
 * Indexes are built when they are needed: the address ranges of all units at the first lookup, the
 * functions and lines of a unit at the first lookup in that unit.
 */
#ifndef FREC_UNWIND_DEBUG_INFO_H
#define FREC_UNWIND_DEBUG_INFO_H

#include "unwind/elf_file.h"

/* How deeply calls can be inlined into each other. Calls nested more deeply are left out. */
#define FREC_INLINED_MAX 64

struct frec_debug_info;

/* `alternate` is the file that .gnu_debugaltlink names, or NULL. Returns NULL if there is no
 * debugging information, or it cannot be read. */
struct frec_debug_info *frec__debug_info_create(const struct frec_elf *elf,
						const struct frec_elf *alternate);
void frec__debug_info_destroy(struct frec_debug_info *info);

/* A function at an address. The strings belong to the debugging information. */
struct frec_debug_function {
	const char *name;	   /* mangled, if the function has such a name; NULL: unknown */
	const char *file;	   /* NULL: unknown */
	unsigned int line, column; /* 0: unknown */
	uint64_t start;		   /* of the outermost function; 0 for the others */
};

/* Fills `functions`, which has room for FREC_INLINED_MAX + 1, innermost first. Returns how many
 * there are: 0 if nothing is known. */
size_t frec__debug_info_find(struct frec_debug_info *info, uint64_t address,
			     struct frec_debug_function *functions);

#endif
