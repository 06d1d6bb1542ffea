/* SPDX-License-Identifier: MIT */
/* The note sections of an ELF file, which is untrusted. */
#ifndef FREC_RECORDER_DECLARED_ELF_NOTES_H
#define FREC_RECORDER_DECLARED_ELF_NOTES_H

#include <libelf.h>

/*
 * Moves `*section` (NULL at first) to the next note section that has this name and at most
 * `size_max` bytes. Returns the bytes of the section, which belong to `elf`, or NULL if there is no
 * further one.
 */
Elf_Data *frec__elf_notes(Elf *elf, Elf_Scn **section, const char *name, size_t size_max);

static inline void frec__cleanup_elf_end(Elf **elf)
{
	elf_end(*elf);
}
#define FREC_ELF_END __attribute__((cleanup(frec__cleanup_elf_end)))

#endif
