/* SPDX-License-Identifier: MIT */
/* The note sections of an ELF file, and the places that they name. The file is untrusted. */
#ifndef FREC_RECORDER_DECLARED_ELF_NOTES_H
#define FREC_RECORDER_DECLARED_ELF_NOTES_H

#include <libelf.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Moves `*section` (NULL at first) to the next note section that has this name and at most
 * `size_max` bytes. Returns the bytes of the section, which belong to `elf`, or NULL if there is no
 * further one.
 */
Elf_Data *frec__elf_notes(Elf *elf, Elf_Scn **section, const char *name, size_t size_max);

/* Translates an address of the program into an offset in the file. Returns false if the `size`
 * bytes from there are not in one segment that has all of `flags` (PF_R and so on). */
bool frec__elf_file_offset(Elf *elf, uint64_t address, uint64_t size, uint32_t flags,
			   uint64_t *ret);

static inline void frec__cleanup_elf_end(Elf **elf)
{
	elf_end(*elf);
}
#define FREC_ELF_END __attribute__((cleanup(frec__cleanup_elf_end)))

#endif
