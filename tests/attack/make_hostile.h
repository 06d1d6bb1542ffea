/* SPDX-License-Identifier: MIT */
/* Builds .frec files that are small and cost their reader a lot, as somebody would who wants to
 * harm whoever reads them. */
#ifndef FREC_TESTS_MAKE_HOSTILE_H
#define FREC_TESTS_MAKE_HOSTILE_H

#include <stddef.h>

#include "tests/data/make_snapshot.h"

struct hostile_kind {
	const char *name;
	size_t count; /* how much of it there usually is */
	void (*make)(struct made_file *ret, size_t count);
};

/* Terminated by an entry without a name. */
extern const struct hostile_kind hostile_kinds[];

/* How many bytes of small records a chunk holds. */
extern size_t hostile_chunk_size;

/* Makes a file of a process that crashed in code of the file `path`. */
void hostile_make_path(struct made_file *ret, const char *path);

#endif
