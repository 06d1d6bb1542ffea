/* SPDX-License-Identifier: MIT */
/* The sites of events in an ELF file: section `.note.flightrec`, as flightrec/site.h writes it. */
#ifndef FREC_RECORDER_DECLARED_SITES_H
#define FREC_RECORDER_DECLARED_SITES_H

#include <libelf.h>

#include "recorder/declared/declarations.h"

/*
 * Reads the notes of a file and tells declarations->found_sites of those that hold: whose
 * declaration is one, whose instructions are a site's, whose enable word is in data that can be
 * written. Returns 0 or -ENOMEM.
 */
int frec__sites_read(struct frec_declarations *declarations, Elf *elf, int fd);

#endif
