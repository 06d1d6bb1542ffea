/* SPDX-License-Identifier: MIT */
/* Compression of a stream. */
#ifndef FREC_EXPORT_COMPRESS_H
#define FREC_EXPORT_COMPRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "export/read/text.h"

struct frec_compression {
	const char *name;   /* as after --compress */
	const char *suffix; /* of a file that is compressed this way */
	/* Returns the state, or NULL without memory. */
	void *(*create)(void);
	/* Compresses `data` and appends to `out` what is ready; with `last`, all that remains.
	 * Returns false on failure. */
	bool (*add)(void *state, const void *data, size_t size, bool last, struct frec_text *out);
	void (*destroy)(void *state); /* takes NULL */
};

/* All compressions, terminated by NULL. */
extern const struct frec_compression *const frec__compressions[];

/* The compression with this name, or NULL. */
const struct frec_compression *frec__compression_find(const char *name);

/* The compression whose suffix `path` ends in, or NULL. */
const struct frec_compression *frec__compression_for_path(const char *path);

#endif
