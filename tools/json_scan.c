// SPDX-License-Identifier: MIT
// Walking over JSON without building anything. Text that ends early ends the walk.
#include "tools/json_scan.h"

#include <stdlib.h>
#include <string.h>

static const char *skip_space(const char *at)
{
	return at + strspn(at, " \t\r\n");
}

// Behind the string that begins at `at`; what it says goes to `ret` (may be NULL) as far as it
// fits.
static const char *read_string(const char *at, char *ret, size_t size)
{
	size_t used = 0;

	if (size)
		*ret = 0;
	if (*at != '"')
		return at + strlen(at);
	for (at++; *at && *at != '"'; at++) {
		char byte = *at;

		if (byte == '\\' && at[1]) {
			byte = *++at;
			if (byte == 'u' && strspn(at + 1, "0123456789abcdefABCDEF") >= 4) {
				char digits[5] = {at[1], at[2], at[3], at[4]};

				// Recorders escape nothing but control characters this way.
				byte = (char)strtoul(digits, NULL, 16);
				at += 4;
			}
		}
		if (used + 1 < size) {
			ret[used++] = byte;
			ret[used] = 0;
		}
	}
	return *at ? at + 1 : at;
}

static const char *skip_value(const char *at)
{
	size_t depth = 0;

	do {
		at = skip_space(at);
		if (*at == '"') {
			at = read_string(at, NULL, 0);
		} else if (*at == '[' || *at == '{') {
			depth++;
			at++;
		} else if (*at == ']' || *at == '}') {
			depth -= depth > 0;
			at++;
		} else if (*at == ',' || *at == ':') {
			at++;
		} else {
			at += strcspn(at, ",]}: \t\r\n");
		}
	} while (depth && *at);
	return at;
}

const char *frec__json_member(const char *json, const char *key)
{
	const char *at = skip_space(json);

	while (*at == '{' || *at == ',') {
		char name[64];

		at = skip_space(read_string(skip_space(at + 1), name, sizeof(name)));
		if (*at != ':')
			return NULL;
		at = skip_space(at + 1);
		if (!strcmp(name, key))
			return at;
		at = skip_space(skip_value(at));
	}
	return NULL;
}

double frec__json_number(const char *json, const char *key)
{
	const char *value = frec__json_member(json, key);

	return value ? strtod(value, NULL) : 0;
}

const char *frec__json_text(const char *json, const char *key, char *ret, size_t size)
{
	const char *value = frec__json_member(json, key);

	read_string(value ? value : "", ret, size);
	return ret;
}

const char *frec__json_next(const char **at, char *ret, size_t size)
{
	const char *next = *at;

	if (*next != '[' && *next != ',')
		return NULL;
	next = skip_space(next + 1);
	if (*next != '"')
		return NULL;
	*at = skip_space(read_string(next, ret, size));
	return ret;
}
