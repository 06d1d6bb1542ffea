/* SPDX-License-Identifier: MIT */
/* Memory that is released all at once, after a packet has been assembled and written. */
#ifndef FREC_EXPORT_ARENA_H
#define FREC_EXPORT_ARENA_H

#include "export/read/text.h"

struct frec_arena_block;

/* Start with zeroes. */
struct frec_arena {
	struct frec_arena_block *blocks; /* the newest first */
	struct frec_text scratch;
	bool failed; /* out of memory at some point since the last reset */
};

/* Returns zeroed memory, aligned for any type. Without memory, returns NULL and sets `failed`. */
void *frec__arena_alloc(struct frec_arena *arena, size_t size);
void *frec__arena_array(struct frec_arena *arena, size_t count, size_t size);

/* A NUL-terminated copy in valid UTF-8, followed by `end`. Never NULL: without memory it returns
 * "" and sets `failed`. */
char *frec__arena_utf8(struct frec_arena *arena, const void *data, size_t size, const char *end);
char *frec__arena_string(struct frec_arena *arena, const char *string);

/* Releases everything at once. */
void frec__arena_reset(struct frec_arena *arena);
void frec__arena_free(struct frec_arena *arena);

#endif
