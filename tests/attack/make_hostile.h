/* SPDX-License-Identifier: MIT */
/* Makes .frec files that are small but expensive to read, as an attacker would make them. */
#ifndef FREC_TESTS_MAKE_HOSTILE_H
#define FREC_TESTS_MAKE_HOSTILE_H

#include <stddef.h>

#include "tests/data/make_snapshot.h"

struct hostile_kind {
	const char *name;
	size_t count; /* the usual argument of make() */
	/* `count` is how many parts, fields, records and so on the file has, depending on the kind;
	 * the caller frees ret->data */
	void (*make)(struct made_file *ret, size_t count);
};

/* All kinds of files, terminated by an entry without a name. */
extern const struct hostile_kind hostile_kinds[];

/* How many bytes of records the chunks have that are filled with small records. */
extern size_t hostile_chunk_size;

/* Makes a snapshot of a process that crashed in code of the file `path`. The caller frees
 * ret->data. */
void hostile_make_path(struct made_file *ret, const char *path);

#endif
