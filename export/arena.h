/* SPDX-License-Identifier: MIT */
/* Memory in which a message of the output is assembled. It is released all at once, after the
 * message has been written. */
#ifndef FREC_EXPORT_ARENA_H
#define FREC_EXPORT_ARENA_H

#include "export/read/text.h"

struct frec_arena_block;

/* Initialise with zeroes. */
struct frec_arena {
	struct frec_arena_block *blocks; /* the newest first */
	struct frec_text scratch;
	bool failed; /* memory ran out at some point; stays set after a reset */
};

/* Returns zeroed memory, aligned for any type. If memory runs out, returns NULL and sets
 * `failed`. */
void *frec__arena_alloc(struct frec_arena *arena, size_t size);
void *frec__arena_array(struct frec_arena *arena, size_t count, size_t size);

/* Returns a NUL-terminated copy of `data` in valid UTF-8, with `end` appended. Never NULL: if
 * memory runs out, returns "" and sets `failed`. */
char *frec__arena_utf8(struct frec_arena *arena, const void *data, size_t size, const char *end);
char *frec__arena_string(struct frec_arena *arena, const char *string);

/* Releases everything that was allocated, so that the arena can be used again. */
void frec__arena_reset(struct frec_arena *arena);
void frec__arena_free(struct frec_arena *arena);

#endif
