// SPDX-License-Identifier: MIT
// Open addressing with linear probing; removing moves up what was pushed away, so that nothing has
// to be marked as deleted.
#include "proto/table.h"

#include <stdlib.h>

static size_t home(const struct frec_table *map, uint64_t key)
{
	return (size_t)(frec__table_mix(0, key) & (map->size - 1));
}

static size_t find(const struct frec_table *map, uint64_t key)
{
	size_t i = home(map, key);

	while (map->slots[i].used && map->slots[i].key != key)
		i = (i + 1) & (map->size - 1);
	return i;
}

uint32_t *frec__table_get(const struct frec_table *map, uint64_t key)
{
	size_t i;

	if (!map->count)
		return NULL;
	i = find(map, key);
	return map->slots[i].used ? &map->slots[i].value : NULL;
}

static bool grow(struct frec_table *map)
{
	struct frec_table old = *map;

	map->size = old.size ? 2 * old.size : 64;
	map->slots = calloc(map->size, sizeof(*map->slots));
	if (!map->slots) {
		*map = old;
		return false;
	}
	for (size_t i = 0; i < old.size; i++) {
		if (old.slots[i].used)
			map->slots[find(map, old.slots[i].key)] = old.slots[i];
	}
	free(old.slots);
	return true;
}

uint32_t *frec__table_put(struct frec_table *map, uint64_t key, bool *ret_new)
{
	struct frec_table_slot *slot;

	if (2 * map->count >= map->size && !grow(map))
		return NULL;
	slot = &map->slots[find(map, key)];
	if (ret_new)
		*ret_new = !slot->used;
	if (!slot->used) {
		*slot = (struct frec_table_slot){.key = key, .used = true};
		map->count++;
	}
	return &slot->value;
}

void frec__table_remove(struct frec_table *map, uint64_t key)
{
	size_t mask = map->size - 1, hole, i;

	if (!map->count)
		return;
	hole = find(map, key);
	if (!map->slots[hole].used)
		return;
	map->count--;
	for (i = (hole + 1) & mask; map->slots[i].used; i = (i + 1) & mask) {
		// It may move into the hole when its home is not behind it.
		if (((i - home(map, map->slots[i].key)) & mask) >= ((i - hole) & mask)) {
			map->slots[hole] = map->slots[i];
			hole = i;
		}
	}
	map->slots[hole].used = false;
}

void frec__table_free(struct frec_table *map)
{
	free(map->slots);
	*map = (struct frec_table){0};
}
