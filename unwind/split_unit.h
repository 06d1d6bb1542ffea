/* SPDX-License-Identifier: MIT */
/* Debugging information that -gsplit-dwarf leaves in a .dwo file beside the object file. */
#ifndef FREC_UNWIND_SPLIT_UNIT_H
#define FREC_UNWIND_SPLIT_UNIT_H

#include <elfutils/libdw.h>

#include "unwind/elf_file.h"

/*
 * `skeleton` is a unit of `elf`. If it is only the skeleton of a unit in a .dwo file, finds that
 * unit by the id that both have. Returns false if the unit is not split, or the file is missing or
 * cannot be trusted.
 */
bool frec__split_unit(const struct frec_elf *elf, Dwarf_Die *skeleton, Dwarf_Die *ret);

/* Returns whether the last string of each string section ends in NUL. libdw 0.188 reads file names
 * without checking this. */
bool frec__strings_end(const struct frec_elf *elf);

#endif
