/* SPDX-License-Identifier: MIT */
/* The sites of events in an ELF file: section `.note.flightrec`, which flightrec/site.h defines. */
#ifndef FREC_RECORDER_DECLARED_SITES_H
#define FREC_RECORDER_DECLARED_SITES_H

#include <libelf.h>

#include "recorder/declared/declarations.h"

/*
 * Reads the notes of a file and, if any are valid, calls declarations->found_sites with their
 * sites. A note is valid if its declaration can be parsed, the instructions that it points to
 * are those of a site, and its enable word is in writable data. Returns 0 or -ENOMEM.
 */
int frec__sites_read(struct frec_declarations *declarations, Elf *elf, int fd);

#endif
