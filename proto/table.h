/* SPDX-License-Identifier: MIT */
/* A table from 64-bit keys to small numbers, for what is open or was met. */
#ifndef FREC_PROTO_TABLE_H
#define FREC_PROTO_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frec_table_slot {
	uint64_t key;
	uint32_t value;
	bool used;
};

/* Start with zeroes. */
struct frec_table {
	struct frec_table_slot *slots;
	size_t count, size; /* `size` is a power of two, at most half of it used */
};

/* The value of a key, or NULL. Valid until the next put or remove. */
uint32_t *frec__table_get(const struct frec_table *map, uint64_t key);

/*
 * The value of a key, which is 0 where it was not there before, or NULL without memory. `ret_new`
 * may be NULL. To find things by their hash, let values be numbers from 1 and go from the hash on
 * to the first key whose value is 0 or the thing's own.
 */
uint32_t *frec__table_put(struct frec_table *map, uint64_t key, bool *ret_new);

void frec__table_remove(struct frec_table *map, uint64_t key);
void frec__table_free(struct frec_table *map);

/* Mixes `value` into a hash: for keys that are made of several things. */
static inline uint64_t frec__table_mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15ull;
	return hash ^ hash >> 29;
}

#endif
