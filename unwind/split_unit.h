/* SPDX-License-Identifier: MIT */
/* Debugging information that was left in a file beside the object file: -gsplit-dwarf. */
#ifndef FREC_UNWIND_SPLIT_UNIT_H
#define FREC_UNWIND_SPLIT_UNIT_H

#include <elfutils/libdw.h>

#include "unwind/elf_file.h"

/*
 * The unit in the .dwo file that `skeleton`, a unit of `elf`, stands for. The file is the right one
 * by the id that both have. False: `skeleton` is a whole unit, or the file is not there or not to
 * be trusted.
 */
bool frec__split_unit(const struct frec_elf *elf, Dwarf_Die *skeleton, Dwarf_Die *ret);

/* libdw 0.188 takes it for granted that the last string has an end when it reads names of files. */
bool frec__strings_end(const struct frec_elf *elf);

#endif
