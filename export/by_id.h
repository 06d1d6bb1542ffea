/* SPDX-License-Identifier: MIT */
/* A table indexed by consecutive numbers, such as those of call stacks, locations, threads and
 * lanes. */
#ifndef FREC_EXPORT_BY_ID_H
#define FREC_EXPORT_BY_ID_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Initialise with zeroes. The caller frees `entries`. */
struct frec_by_id {
	void *entries; /* all of the same size */
	size_t count;
};

/* Returns the entry of `id`, which is all zeroes until it is written to, or NULL if memory runs
 * out. The pointer is valid until the next call. */
static inline void *frec__by_id(struct frec_by_id *table, uint32_t id, size_t entry_size)
{
	if (id >= table->count) {
		size_t count = 2 * (size_t)id + 64;
		char *grown = reallocarray(table->entries, count, entry_size);

		if (!grown)
			return NULL;
		memset(grown + table->count * entry_size, 0, (count - table->count) * entry_size);
		table->entries = grown;
		table->count = count;
	}
	return (char *)table->entries + id * entry_size;
}

#endif
