// SPDX-License-Identifier: MIT
// Interns strings in a hash table.
#include "export/strings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/grow.h"

static uint64_t hash(const char *string)
{
	uint64_t value = 0;

	for (; *string; string++)
		value = frec__table_mix(value, (unsigned char)*string);
	return value;
}

static int64_t add(struct frec_strings *strings, const char *string)
{
	char *copy;

	if (!frec__grow(&strings->strings, strings->count, sizeof(char *)))
		return -ENOMEM;
	copy = strdup(string);
	if (!copy)
		return -ENOMEM;
	strings->strings[strings->count++] = copy;
	return (int64_t)strings->count - 1;
}

int64_t frec__strings_add(struct frec_strings *strings, const char *string)
{
	for (uint64_t key = hash(string);; key++) {
		uint32_t *number = frec__table_put(&strings->numbers, key, NULL);
		int64_t r;

		if (!number)
			return -ENOMEM;
		if (*number && strcmp(strings->strings[*number - 1], string))
			continue;
		if (*number)
			return *number - 1;
		r = add(strings, string);
		if (r >= 0)
			*number = (uint32_t)r + 1;
		return r;
	}
}

void frec__strings_deinit(struct frec_strings *strings)
{
	for (size_t i = 0; i < strings->count; i++)
		free(strings->strings[i]);
	free(strings->strings);
	frec__table_free(&strings->numbers);
	*strings = (struct frec_strings){0};
}
