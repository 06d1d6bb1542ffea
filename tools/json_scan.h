/* SPDX-License-Identifier: MIT */
/* Finding members in a JSON object that a recorder sent: enough to print its status, not a parser
 * for any JSON. */
#ifndef FREC_TOOLS_JSON_SCAN_H
#define FREC_TOOLS_JSON_SCAN_H

#include <stddef.h>

/* Where the value of `key` begins in the object at `json`, or NULL. */
const char *frec__json_member(const char *json, const char *key);

/* A member that is a number; 0 where there is none. */
double frec__json_number(const char *json, const char *key);

/* A member that is a string, without its quotes and escapes; empty where there is none. Returns
 * `ret`. */
const char *frec__json_text(const char *json, const char *key, char *ret, size_t size);

/*
 * The next string of an array: *at points at the array's '[' first and is moved on. NULL at the
 * array's end. Returns `ret`.
 */
const char *frec__json_next(const char **at, char *ret, size_t size);

#endif
