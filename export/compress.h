/* SPDX-License-Identifier: MIT */
/* Compression of an output while it is written. */
#ifndef FREC_EXPORT_COMPRESS_H
#define FREC_EXPORT_COMPRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "export/read/text.h"

struct frec_compression {
	const char *name;   /* as given to --compress */
	const char *suffix; /* the suffix of a file that is compressed this way */
	/* Returns the state, or NULL if memory runs out. */
	void *(*create)(void);
	/* Compresses `data`, and appends to `out` the output that is ready, or all of it if `last`
	 * is set. Returns false on failure. */
	bool (*add)(void *state, const void *data, size_t size, bool last, struct frec_text *out);
	void (*destroy)(void *state); /* accepts NULL */
};

/* All compressions, terminated by NULL. */
extern const struct frec_compression *const frec__compressions[];

/* The compression with this name, or NULL. */
const struct frec_compression *frec__compression_find(const char *name);

/* The compression whose suffix `path` ends in, or NULL. */
const struct frec_compression *frec__compression_for_path(const char *path);

#endif
