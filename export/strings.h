/* SPDX-License-Identifier: MIT */
/* Strings, each once and numbered from 0 in the order in which they were met, for formats that
 * refer to strings by number. */
#ifndef FREC_EXPORT_STRINGS_H
#define FREC_EXPORT_STRINGS_H

#include "proto/table.h"

/* Start with zeroes. */
struct frec_strings {
	char **strings;
	size_t count, room;
	struct frec_table numbers; /* plus 1, by hash */
};

/* Its number, or -ENOMEM. */
int64_t frec__strings_add(struct frec_strings *strings, const char *string);
void frec__strings_deinit(struct frec_strings *strings);

#endif
