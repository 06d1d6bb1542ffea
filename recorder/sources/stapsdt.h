/* SPDX-License-Identifier: MIT */
/* The USDT probes of an ELF file, which a child reads from its notes (.note.stapsdt): their names,
 * their sites, and where each site has its arguments. */
#ifndef FREC_RECORDER_SOURCES_STAPSDT_H
#define FREC_RECORDER_SOURCES_STAPSDT_H

#include <stddef.h>
#include <stdint.h>

#include "recorder/sources/foreign_record.h"

/* A file with more sites than this is refused. No real program has that many. */
#define FREC_USDT_SITES_MAX 8192

struct frec_usdt_probe_site {
	uint64_t offset, semaphore; /* in the file; 0 if there is no semaphore */
	uint32_t places;
	struct frec_usdt_place *place;
};

/* A probe: all sites of a file that have the same provider and name. */
struct frec_usdt_probe {
	char *provider, *name;
	size_t sites;
	struct frec_usdt_probe_site *site;
	uint32_t arguments; /* the maximum of all sites; FREC_USDT_ARGUMENTS_MAX or less */
	uint32_t left_out;  /* how many more arguments there are, which cannot be recorded */
	uint32_t is_signed; /* bit n is set if argument n is signed at any site */
	/* bit n is set if argument n cannot be read at some of the sites that have it */
	uint32_t unreadable;
	/* 4 or 8 if argument n is a floating-point number of this size, else 0. The first site with
	 * the argument decides. Sites that differ count as unreadable. */
	uint8_t float_size[FREC_USDT_ARGUMENTS_MAX];
};

struct frec_usdt_probes {
	size_t count;
	struct frec_usdt_probe *probe;
	/* if the notes are of a program that this machine does not run as it runs the recorder: its
	 * word size, 32 or 64; else 0 */
	uint32_t other_machine;
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
void frec__usdt_probe_deinit(struct frec_usdt_probe *probe);
void frec__usdt_probes_deinit(struct frec_usdt_probes *probes);

#endif
