/* SPDX-License-Identifier: MIT */
/* Strings, each once and numbered from 0 in the order in which they were met, for formats that refer to strings by number. */
#ifndef FREC_EXPORT_STRINGS_H
#define FREC_EXPORT_STRINGS_H

#include <stddef.h>
#include <stdint.h>

/* Start with zeroes. */
struct frec_strings {
	char **strings;
	size_t count, room;
	uint32_t *table; /* number plus 1; at most half full */
	size_t table_size;
};

/* Its number, or -ENOMEM. */
int64_t frec__strings_add(struct frec_strings *strings, const char *string);
void frec__strings_deinit(struct frec_strings *strings);

#endif
