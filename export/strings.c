// SPDX-License-Identifier: MIT
// A hash table of strings.
#include "export/strings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

// FNV-1a, by Fowler, Noll and Vo.
static size_t hash(const char *string)
{
	uint64_t value = UINT64_C(0xcbf29ce484222325);

	for (; *string; string++)
		value = (value ^ (unsigned char)*string) * UINT64_C(0x100000001b3);
	return (size_t)(value ^ value >> 32);
}

static int make_room(struct frec_strings *strings)
{
	size_t room = strings->room ? 2 * strings->room : 64;
	char **grown;
	uint32_t *table;

	if (strings->count < strings->room)
		return 0;
	grown = reallocarray(strings->strings, room, sizeof(char *));
	if (!grown)
		return -ENOMEM;
	strings->strings = grown;
	table = calloc(2 * room, sizeof(*table));
	if (!table)
		return -ENOMEM;
	strings->room = room;
	strings->table_size = 2 * room;
	for (size_t i = 0; i < strings->count; i++) {
		size_t at = hash(grown[i]) & (strings->table_size - 1);

		while (table[at])
			at = (at + 1) & (strings->table_size - 1);
		table[at] = (uint32_t)i + 1;
	}
	free(strings->table);
	strings->table = table;
	return 0;
}

int64_t frec__strings_add(struct frec_strings *strings, const char *string)
{
	size_t at;
	char *copy;

	if (make_room(strings))
		return -ENOMEM;
	at = hash(string) & (strings->table_size - 1);
	for (; strings->table[at]; at = (at + 1) & (strings->table_size - 1)) {
		if (!strcmp(strings->strings[strings->table[at] - 1], string))
			return strings->table[at] - 1;
	}
	copy = strdup(string);
	if (!copy)
		return -ENOMEM;
	strings->strings[strings->count++] = copy;
	strings->table[at] = (uint32_t)strings->count;
	return (int64_t)strings->count - 1;
}

void frec__strings_deinit(struct frec_strings *strings)
{
	for (size_t i = 0; i < strings->count; i++)
		free(strings->strings[i]);
	free(strings->strings);
	free(strings->table);
	*strings = (struct frec_strings){0};
}
