/* SPDX-License-Identifier: MIT */
/* Strings, each stored once and numbered from 0 in order of first use, for formats that refer to
 * strings by number. */
#ifndef FREC_EXPORT_STRINGS_H
#define FREC_EXPORT_STRINGS_H

#include "proto/table.h"

/* Initialise with zeroes. */
struct frec_strings {
	char **strings;
	size_t count;
	struct frec_table numbers; /* index in `strings` plus 1, by hash */
};

/* Returns the string's number, or -ENOMEM. */
int64_t frec__strings_add(struct frec_strings *strings, const char *string);
void frec__strings_deinit(struct frec_strings *strings);

#endif
