/* SPDX-License-Identifier: MIT */
/* Compression of what is written from front to end. */
#ifndef FREC_EXPORT_COMPRESS_H
#define FREC_EXPORT_COMPRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "export/read/text.h"

struct frec_compression {
	const char *name;   /* as after --compress */
	const char *suffix; /* of a file that is compressed like this */
	/* Creates the state, or NULL without memory. */
	void *(*create)(void);
	/* Adds what comes out to `out`; with `last` all of it. Returns false when that failed. */
	bool (*add)(void *state, const void *data, size_t size, bool last, struct frec_text *out);
	void (*destroy)(void *state); /* takes NULL */
};

/* All there are, ended by NULL. */
extern const struct frec_compression *const frec__compressions[];

/* The one of this name, or NULL. */
const struct frec_compression *frec__compression_find(const char *name);

/* The one whose suffix `path` ends in, or NULL. */
const struct frec_compression *frec__compression_for_path(const char *path);

#endif
