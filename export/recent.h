/* SPDX-License-Identifier: MIT */
/* A set of the keys added recently, in bounded memory: it holds at least the last FREC_RECENT_MAX
 * distinct keys and at most twice as many. */
#ifndef FREC_EXPORT_RECENT_H
#define FREC_EXPORT_RECENT_H

#include <errno.h>

#include "proto/table.h"

#define FREC_RECENT_MAX (1u << 17)

/* Initialise with zeroes. */
struct frec_recent {
	struct frec_table now, before;
};

/* Adds the key. Returns 1 if it was in the set already, 0 if not, or -ENOMEM. */
static inline int frec__recent_meet(struct frec_recent *recent, uint64_t key)
{
	bool is_new;

	if (recent->now.count == FREC_RECENT_MAX) {
		frec__table_free(&recent->before);
		recent->before = recent->now;
		recent->now = (struct frec_table){0};
	}
	if (!frec__table_put(&recent->now, key, &is_new))
		return -ENOMEM;
	return !is_new || frec__table_get(&recent->before, key);
}

static inline void frec__recent_free(struct frec_recent *recent)
{
	frec__table_free(&recent->now);
	frec__table_free(&recent->before);
}

#endif
