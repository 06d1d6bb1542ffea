// SPDX-License-Identifier: MIT
// Pairs come from other processes, so all of their bounds are checked here.
#include "recorder/snapshot/pairs.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define CUT "..."

static bool key_is_valid(const char *key, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (i == FREC_PAIR_KEY_MAX || key[i] <= ' ' || key[i] > '~' || key[i] == '=')
			return false;
	}
	return size > 0;
}

static bool has_key(const struct frec_pairs *pairs, const char *key, size_t size)
{
	for (size_t at = 0; at < pairs->size;) {
		size_t length = strlen(pairs->text + at);

		if (length == size && !memcmp(pairs->text + at, key, size))
			return true;
		at += length + 1;
		at += strlen(pairs->text + at) + 1;
	}
	return false;
}

static void put(struct frec_pairs *pairs, const void *data, size_t size)
{
	if (size)
		memcpy(pairs->text + pairs->size, data, size);
	pairs->size += size;
}

int frec__pairs_add(struct frec_pairs *pairs, const char *key, size_t key_size, const void *value,
		    size_t value_size)
{
	const uint8_t *bytes = value;
	size_t kept = value_size;

	if (!key_is_valid(key, key_size) || (value_size && memchr(value, 0, value_size)) ||
	    has_key(pairs, key, key_size))
		return -EINVAL;
	if (pairs->count == FREC_PAIRS_MAX)
		return -E2BIG;
	if (kept > FREC_PAIR_VALUE_MAX) {
		kept = FREC_PAIR_VALUE_MAX - strlen(CUT);
		// All bytes of a UTF-8 character but the first are 10xxxxxx.
		for (int i = 0; i < 3 && (bytes[kept] & 0xc0) == 0x80; i++)
			kept--;
	}
	put(pairs, key, key_size);
	put(pairs, "", 1);
	put(pairs, value, kept);
	put(pairs, CUT, kept < value_size ? strlen(CUT) : 0);
	put(pairs, "", 1);
	pairs->count++;
	return 0;
}

void frec__pairs_to_messages(const char *text, size_t size, struct frec_pair_messages *ret)
{
	ret->count = 0;
	for (size_t at = 0; at < size && ret->count < FREC_PAIRS_MAX; ret->count++) {
		Flightrec__Pair *pair = &ret->pair[ret->count];

		flightrec__pair__init(pair);
		pair->key = (char *)text + at;
		at += strlen(text + at) + 1;
		pair->value.data = (uint8_t *)text + at;
		pair->value.len = strlen(text + at);
		at += pair->value.len + 1;
		ret->pointer[ret->count] = pair;
	}
}
