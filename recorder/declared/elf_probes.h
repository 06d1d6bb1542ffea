/* SPDX-License-Identifier: MIT */
/* Reads the notes of USDT probes, which are those of SystemTap. The file is untrusted. */
#ifndef FREC_RECORDER_DECLARED_ELF_PROBES_H
#define FREC_RECORDER_DECLARED_ELF_PROBES_H

#include <libelf.h>
#include <stddef.h>
#include <stdint.h>

#include "recorder/declared/file_contents.h"
#include "recorder/declared/usdt_place.h"

/* Gets each site, its places, and `size` bytes of names: provider and name, each ended by NUL. */
typedef int frec_probe_found(void *context, const struct frec_probe_site *site,
			     const struct frec_usdt_place *places, const char *names, size_t size);

/*
 * Calls `found` for each well-formed note of the file. If that returns something else than 0, this
 * returns it at once. If the notes are those of a program that this machine does not run as it runs
 * the recorder, calls `found` for none, and sets `ret_bits` to 32 or 64, the program's word size.
 * Returns 0 otherwise.
 */
int frec__elf_probes(Elf *elf, frec_probe_found *found, void *context, uint32_t *ret_bits);

#endif
