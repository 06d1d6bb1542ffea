/* SPDX-License-Identifier: MIT */
/* Pairs of a key and a value, as the schema's Pair defines them: what came with a request, and what
 * a recorder or a client says about itself. */
#ifndef FREC_RECORDER_SNAPSHOT_PAIRS_H
#define FREC_RECORDER_SNAPSHOT_PAIRS_H

#include <stddef.h>

#include "flightrec.pb-c.h"

#define FREC_PAIRS_MAX 16
#define FREC_PAIR_KEY_MAX 64	/* bytes */
#define FREC_PAIR_VALUE_MAX 256 /* bytes */
#define FREC_PAIRS_SIZE_MAX (FREC_PAIRS_MAX * (FREC_PAIR_KEY_MAX + FREC_PAIR_VALUE_MAX + 2))

/* Must be zeroed before the first pair is added. The size is fixed, so that a request needs no
 * allocation. */
struct frec_pairs {
	size_t count, size;
	char text[FREC_PAIRS_SIZE_MAX]; /* key and value in turn, each ended by NUL */
};

/*
 * Adds a pair. A value that is too long is cut at the end of a UTF-8 character, and "..." is
 * appended. Returns 0, -EINVAL if the key is not valid or is there already, or if the value has a
 * NUL, or -E2BIG if there are FREC_PAIRS_MAX pairs already.
 */
int frec__pairs_add(struct frec_pairs *pairs, const char *key, size_t key_size, const void *value,
		    size_t value_size);

/* The pairs of a struct frec_pairs as messages of the schema, which point into its `text`. */
struct frec_pair_messages {
	size_t count;
	Flightrec__Pair *pointer[FREC_PAIRS_MAX];
	Flightrec__Pair pair[FREC_PAIRS_MAX];
};

/* `text` are the `size` bytes of frec_pairs.text, which must outlive `ret`. `ret` must not move. */
void frec__pairs_to_messages(const char *text, size_t size, struct frec_pair_messages *ret);

#endif
