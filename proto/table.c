// SPDX-License-Identifier: MIT
// Open addressing with linear probing. A removal moves later entries of the same run of slots up,
// so there are no marks for deleted entries.
#include "proto/table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

uint64_t frec__table_secret = 0x9e3779b97f4a7c15ull;

// Chooses a number that others cannot know. The kernel gives each program that it starts 16 random
// bytes, of which these are eight.
__attribute__((constructor)) static void choose_secret(void)
{
	const void *random = (const void *)getauxval(AT_RANDOM);

	if (random)
		memcpy(&frec__table_secret, random, sizeof(frec__table_secret));
	frec__table_secret |= 1;
}

// Returns the key's home: the slot at which the search for the key begins. An attacker does not
// know the secret number and so cannot choose keys that all have the same home.
static size_t home(const struct frec_table *table, uint64_t key)
{
	key = frec__table_mix(frec__table_secret, key);
	return (size_t)(frec__table_mix(key, key >> 32) & (table->size - 1));
}

// Returns the slot of a key or, if the table does not have the key, the free slot where it would
// go.
static size_t find(const struct frec_table *table, uint64_t key)
{
	size_t i = home(table, key);

	while (table->slots[i].used && table->slots[i].key != key)
		i = (i + 1) & (table->size - 1);
	return i;
}

uint32_t *frec__table_get(const struct frec_table *table, uint64_t key)
{
	size_t i;

	if (!table->count)
		return NULL;
	i = find(table, key);
	return table->slots[i].used ? &table->slots[i].value : NULL;
}

static bool grow(struct frec_table *table)
{
	struct frec_table old = *table;

	table->size = old.size ? 2 * old.size : 64;
	table->slots = calloc(table->size, sizeof(*table->slots));
	if (!table->slots) {
		*table = old;
		return false;
	}
	for (size_t i = 0; i < old.size; i++) {
		if (old.slots[i].used)
			table->slots[find(table, old.slots[i].key)] = old.slots[i];
	}
	free(old.slots);
	return true;
}

uint32_t *frec__table_put(struct frec_table *table, uint64_t key, bool *ret_new)
{
	struct frec_table_slot *slot;

	if (2 * table->count >= table->size && !grow(table))
		return NULL;
	slot = &table->slots[find(table, key)];
	if (ret_new)
		*ret_new = !slot->used;
	if (!slot->used) {
		*slot = (struct frec_table_slot){.key = key, .used = true};
		table->count++;
	}
	return &slot->value;
}

void frec__table_remove(struct frec_table *table, uint64_t key)
{
	size_t mask = table->size - 1, hole, i;

	if (!table->count)
		return;
	hole = find(table, key);
	if (!table->slots[hole].used)
		return;
	table->count--;
	for (i = (hole + 1) & mask; table->slots[i].used; i = (i + 1) & mask) {
		// An entry may move into the hole unless its search begins after the hole.
		if (((i - home(table, table->slots[i].key)) & mask) >= ((i - hole) & mask)) {
			table->slots[hole] = table->slots[i];
			hole = i;
		}
	}
	table->slots[hole].used = false;
}

void frec__table_free(struct frec_table *table)
{
	free(table->slots);
	*table = (struct frec_table){0};
}
