/* SPDX-License-Identifier: MIT */
/* .gnu_debugdata: an ELF file with a symbol table, compressed into a section of a stripped
 * program. */
#ifndef FREC_UNWIND_DEBUGDATA_H
#define FREC_UNWIND_DEBUGDATA_H

#include "unwind/elf_file.h"

/* The file inside. `*ret_image` holds its bytes and is freed after it is closed. NULL: there is
 * none. */
struct frec_elf *frec__debugdata_open(const struct frec_elf *elf, uint8_t **ret_image);

#endif
