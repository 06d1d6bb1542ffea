/* SPDX-License-Identifier: MIT */
/* The sites of events in an ELF file: section `.note.flightrec`, as flightrec/site.h writes it. */
#ifndef FREC_RECORDER_DECLARED_SITES_H
#define FREC_RECORDER_DECLARED_SITES_H

#include <libelf.h>

#include "recorder/declared/declarations.h"

/*
 * Reads the notes of a file and calls declarations->found_sites with the valid ones. In a valid one
 * the declaration can be parsed, the instructions are those of a site, and the enable word is in
 * writable data. Returns 0 or -ENOMEM.
 */
int frec__sites_read(struct frec_declarations *declarations, Elf *elf, int fd);

#endif
