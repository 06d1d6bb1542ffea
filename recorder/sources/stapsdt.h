/* SPDX-License-Identifier: MIT */
/*
 * The USDT probes of an ELF file, read from its notes (.note.stapsdt): their names, how many
 * arguments they have, and which of these are signed. libbpf reads the same notes again when it
 * attaches a program, to find the location of the arguments.
 */
#ifndef FREC_RECORDER_SOURCES_STAPSDT_H
#define FREC_RECORDER_SOURCES_STAPSDT_H

#include <stddef.h>
#include <stdint.h>

#include "recorder/sources/foreign_record.h"

/* A file with more sites than this is refused. No real program has that many. */
#define FREC_USDT_SITES_MAX 8192

/* A probe: all sites of a file that have the same provider and name. */
struct frec_usdt_probe {
	char *provider, *name;
	uint32_t sites;
	uint32_t arguments; /* the maximum of all sites; FREC_FOREIGN_ARGUMENTS_MAX or less */
	uint32_t is_signed; /* bit n is set if argument n is signed at any site */
};

struct frec_usdt_probes {
	size_t count;
	struct frec_usdt_probe *probe;
};

/*
 * Adds to `probes` (initially zero) the probes of the open ELF file that match both globs. `path`
 * is for messages. Ignores malformed notes, and files that are not ELF files. Returns 0 or a
 * negative errno: -E2BIG if there are more than FREC_USDT_SITES_MAX sites, -EIO if the child could
 * not read the file, which has been reported.
 */
int frec__stapsdt_read(struct frec_usdt_probes *probes, int fd, const char *path,
		       const char *provider, const char *name);

struct frec_file;

/* Adds to `probes` those that match both globs of the probes that a child found in a file. The
 * findings are as hostile as the file. Returns 0, -ENOMEM, or -E2BIG as above. */
int frec__stapsdt_take(struct frec_usdt_probes *probes, const struct frec_file *file,
		       const char *provider_glob, const char *name_glob);
void frec__usdt_probes_deinit(struct frec_usdt_probes *probes);

/* Counts the arguments in a note's last string ("-4@%eax 8@-8(%rbp)"). Sets bit n of `ret_signed`
 * if argument n is signed. */
uint32_t frec__stapsdt_arguments(const char *text, uint32_t *ret_signed);

#endif
