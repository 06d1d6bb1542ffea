/* SPDX-License-Identifier: MIT */
/* .gnu_debugdata: a section of a stripped program with a compressed ELF file, which has the symbol
 * table. */
#ifndef FREC_UNWIND_DEBUGDATA_H
#define FREC_UNWIND_DEBUGDATA_H

#include "unwind/elf_file.h"

/* Opens the file inside the section. Returns NULL if there is none, or it cannot be read.
 * `*ret_image` holds its bytes; the caller frees them after closing the file. */
struct frec_elf *frec__debugdata_open(const struct frec_elf *elf, uint8_t **ret_image);

#endif
