/* SPDX-License-Identifier: MIT */
/* Pairs of a file: what came with the request for it, and the tags of its recorder and processes.
 * Their bytes are of others; a file may hold any number of them, and a key more than once. */
#ifndef FREC_EXPORT_REPORT_PAIRS_H
#define FREC_EXPORT_REPORT_PAIRS_H

#include "export/read/snapshot.h"
#include "export/read/text.h"

/* The most pairs of a list, and processes with tags, that are shown. */
#define FREC_PAIRS_SHOWN_MAX 16
#define FREC_TAGGED_SHOWN_MAX 64

/* Returns the first pair at or after *at that is to be shown and sets *at behind it, or NULL: of
 * pairs with the same key only the first is shown. `count` pairs are at `pairs`; *at begins
 * with 0. */
const Flightrec__Pair *frec__pairs_next(Flightrec__Pair *const *pairs, size_t count, size_t *at);

/* Returns the pair that is shown for that key, or NULL. */
const Flightrec__Pair *frec__pairs_find(Flightrec__Pair *const *pairs, size_t count,
					const char *key);

/* Adds a line "KEY: VALUE" for each pair, all but the first indented like values of the report. */
void frec__pairs_text(struct frec_text *text, Flightrec__Pair *const *pairs, size_t count);

/* Adds an object with a member for each pair. */
void frec__pairs_json(struct frec_text *text, Flightrec__Pair *const *pairs, size_t count);

/* Returns the first process with tags at or after *at in the file and sets *at behind it, or
 * NULL. */
const Flightrec__Process *frec__tagged_next(const struct frec_snapshot *snapshot, size_t *at);

#endif
