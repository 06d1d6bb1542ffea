/* SPDX-License-Identifier: MIT */
/*
 * The USDT probes of an ELF file, by its notes (.note.stapsdt): who they are and what arguments
 * they have. Where the arguments lie is libbpf's business, which reads the same notes to attach.
 */
#ifndef FREC_RECORDER_SOURCES_STAPSDT_H
#define FREC_RECORDER_SOURCES_STAPSDT_H

#include <stddef.h>
#include <stdint.h>

#include "recorder/sources/foreign_record.h"

/* A file with more sites than this is not one that somebody wrote probes into. */
#define FREC_USDT_SITES_MAX 8192

/* One probe: all the places of a file with its provider and name. */
struct frec_usdt_probe {
	char *provider, *name;
	uint32_t sites;
	uint32_t arguments; /* of the site that has most; FREC_FOREIGN_ARGUMENTS_MAX at most */
	uint32_t is_signed; /* bit n: argument n is, at one site at least */
};

struct frec_usdt_probes {
	size_t count;
	struct frec_usdt_probe *probe;
};

/*
 * Adds to `probes` (zeroed at first) those of the open ELF file that match both globs. A file that
 * is no ELF file, or has no notes, or broken ones, adds what can be read of it. Returns 0, -ENOMEM,
 * or -E2BIG with more than FREC_USDT_SITES_MAX.
 */
int frec__stapsdt_read(struct frec_usdt_probes *probes, int fd, const char *provider,
		       const char *name);
void frec__usdt_probes_deinit(struct frec_usdt_probes *probes);

/* Counts the arguments of a note's last string ("-4@%eax 8@-8(%rbp)"); bit n of `ret_signed`:
 * argument n is signed. */
uint32_t frec__stapsdt_arguments(const char *text, uint32_t *ret_signed);

#endif
