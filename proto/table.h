/* SPDX-License-Identifier: MIT */
/*
 * A hash table from 64-bit keys to 32-bit numbers. The things themselves stay elsewhere, usually in
 * an array that the numbers are indexes of. Use it rather than writing another hash table.
 *
 *	struct frec_table table = {0};
 *	bool new;
 *	uint32_t *number = frec__table_put(&table, address, &new);
 *
 *	if (!number)
 *		return -ENOMEM;
 *	if (new)
 *		*number = add_thing(address);		its index
 *	use(&things[*number]);
 *	frec__table_free(&table);
 *
 * Any key may be used, even 0. The slot of a key depends on a random number that differs in each
 * process, and so does frec__table_mix(), so that an attacker can choose neither keys nor things
 * that make the table slow.
 *
 * If a key does not fit into 64 bits, hash it with frec__table_mix() and compare the things: store
 * numbers from 1, put the hash as the key, and while the number under that key belongs to another
 * thing, go on with the next key, hash + 1. A number of 0 means that the key is new. Such entries
 * cannot be removed.
 *
 * The implementation is open addressing with linear probing, at most half full. A slot takes 16
 * bytes. Put, get and remove take constant time on average; a put that grows the table moves all
 * slots.
 */
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

/* Initialize a table with zeroes: an empty table owns no memory. */
struct frec_table {
	struct frec_table_slot *slots;
	size_t count; /* the number of keys */
	size_t size;  /* the number of slots: 0 or a power of two */
};

/* Finds the value of a key. Returns NULL if the key is not in the table. The pointer is valid until
 * the next put or remove. */
uint32_t *frec__table_get(const struct frec_table *table, uint64_t key);

/*
 * Finds the value of a key, and adds the key with the value 0 if it is not in the table. Sets
 * *ret_new to whether the key was added; `ret_new` may be NULL. The returned pointer is valid until
 * the next put or remove. Returns NULL if memory runs out; the table is then unchanged.
 */
uint32_t *frec__table_put(struct frec_table *table, uint64_t key, bool *ret_new);

/* Removes a key, if it is in the table. */
void frec__table_remove(struct frec_table *table, uint64_t key);

/* Frees the memory. The table is empty afterwards, and can be used again. */
void frec__table_free(struct frec_table *table);

/* An odd number, different in each process. Only table.c changes it. */
extern uint64_t frec__table_secret;

static inline uint64_t frec__mix_with(uint64_t hash, uint64_t value, uint64_t factor)
{
	hash = (hash ^ value) * factor;
	return hash ^ hash >> 29;
}

/* Mixes `value` into `hash`, to make one key from several values. Begin with 0. The result differs
 * from process to process. */
static inline uint64_t frec__table_mix(uint64_t hash, uint64_t value)
{
	return frec__mix_with(hash, value, frec__table_secret);
}

/* The same with equal results in all processes, for what is seen in outputs. An attacker can choose
 * values whose hashes are equal. */
static inline uint64_t frec__stable_mix(uint64_t hash, uint64_t value)
{
	return frec__mix_with(hash, value, 0x9e3779b97f4a7c15ull);
}

#endif
