/* SPDX-License-Identifier: MIT */
/* The sites of events in an ELF file: section `.note.flightrec`, which flightrec/site.h defines.
 * Only the child of file_reader.h runs this code. */
#ifndef FREC_RECORDER_DECLARED_ELF_SITES_H
#define FREC_RECORDER_DECLARED_ELF_SITES_H

#include <libelf.h>
#include <stdint.h>

/*
 * Calls `found` for each site of a file, with the place of the site and of its enable word in the
 * file, and the declaration of its event. A site counts only if its note points to a declaration,
 * to the instructions of a site, and to an enable word in writable data. Returns 0, what `found`
 * returned if that is not 0, or -E2BIG if there are too many notes.
 */
int frec__elf_sites(Elf *elf, int fd,
		    int (*found)(void *context, uint64_t offset, uint64_t enable,
				 const uint8_t *declaration, uint32_t size),
		    void *context);

#endif
