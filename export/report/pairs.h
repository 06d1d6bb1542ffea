/* SPDX-License-Identifier: MIT */
/* The pairs of keys and values in a file: those that came with the request for the file, and the
 * tags of its recorder and processes. The file is not trusted: it may hold any bytes, any number of
 * pairs, and a key more than once. */
#ifndef FREC_EXPORT_REPORT_PAIRS_H
#define FREC_EXPORT_REPORT_PAIRS_H

#include "export/read/snapshot.h"
#include "export/read/text.h"

/* The most pairs of a list, and processes with tags, that are shown. */
#define FREC_PAIRS_SHOWN_MAX 16
#define FREC_TAGGED_SHOWN_MAX 64

/* Returns the first pair at or after index *at that is to be shown, and sets *at to the index after
 * that pair. Returns NULL if there is none. Of pairs with the same key only the first is shown.
 * `pairs` has `count` pairs; *at is 0 for the first call. */
const Flightrec__Pair *frec__pairs_next(Flightrec__Pair *const *pairs, size_t count, size_t *at);

/* Returns the pair with this key that is shown, or NULL. */
const Flightrec__Pair *frec__pairs_find(Flightrec__Pair *const *pairs, size_t count,
					const char *key);

/* Adds a line "KEY: VALUE" for each pair. All lines but the first are indented as far as the
 * report's values. */
void frec__pairs_text(struct frec_text *text, Flightrec__Pair *const *pairs, size_t count);

/* Adds a JSON object with a member for each pair. */
void frec__pairs_json(struct frec_text *text, Flightrec__Pair *const *pairs, size_t count);

/* Returns the first process with tags at or after index *at in the snapshot, and sets *at to the
 * index after that process. Returns NULL if there is none. */
const Flightrec__Process *frec__tagged_next(const struct frec_snapshot *snapshot, size_t *at);

#endif
