/* SPDX-License-Identifier: MIT */
/* The sections of notes in an ELF file, which can be anybody's. */
#ifndef FREC_RECORDER_DECLARED_ELF_NOTES_H
#define FREC_RECORDER_DECLARED_ELF_NOTES_H

#include <libelf.h>

/*
 * The next section of notes with that name and at most `size_max` bytes, from behind `*section`,
 * which begins as NULL. Returns its bytes, which belong to `elf`, or NULL behind the last.
 */
Elf_Data *frec__elf_notes(Elf *elf, Elf_Scn **section, const char *name, size_t size_max);

#endif
