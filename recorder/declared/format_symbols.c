// SPDX-License-Identifier: MIT
// Names of values, from what a format file says about printing: __print_symbolic(REC->state, { 1,
// "NEW" }, { 2, "PAID" }).
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "recorder/declared/format.h"

#define CALL "__print_symbolic(REC->"
#define ENUMERATORS_MAX 4096

// { NUMBER, "NAME" } at `text`. Returns where it ends, or NULL.
static const char *take_pair(const char *text, int64_t *ret_value, const char **ret_name,
			     size_t *ret_size)
{
	char *end;

	text += strspn(text, ", ");
	if (*text != '{')
		return NULL;
	errno = 0;
	*ret_value = strtoll(text + 1, &end, 0);
	if (errno || end == text + 1)
		return NULL;
	end += strspn(end, ", ");
	if (*end != '"')
		return NULL;
	*ret_name = end + 1;
	*ret_size = strcspn(*ret_name, "\"");
	end += 1 + *ret_size;
	if (*end != '"')
		return NULL;
	end += 1 + strspn(end + 1, " ");
	return *end == '}' ? end + 1 : NULL;
}

static int add(struct frec_field *field, int64_t value, const char *name, size_t size)
{
	struct frec_enumerator *grown =
		reallocarray(field->enumerator, field->enumerators + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	field->enumerator = grown;
	grown += field->enumerators;
	*grown = (struct frec_enumerator){.value = value, .name = strndup(name, size)};
	field->enumerators += grown->name != NULL;
	return grown->name ? 0 : -ENOMEM;
}

int frec__format_symbols(struct frec_format *format, const char *text)
{
	const char *call = strstr(text, "\nprint fmt:");
	int r = 0;

	while (!r && call && (call = strstr(call, CALL))) {
		const char *name = call + strlen(CALL), *pair, *symbol;
		size_t length = strcspn(name, ", "), size;
		struct frec_field *field = NULL;
		int64_t value;

		for (size_t i = 0; i < format->count && !field; i++) {
			struct frec_field *other = &format->field[i];

			if (strlen(other->name) == length && !memcmp(other->name, name, length) &&
			    (other->kind == FLIGHTREC__FIELD_KIND__FIELD_SIGNED ||
			     other->kind == FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED))
				field = other;
		}
		call = pair = name + length;
		while (!r && field && field->enumerators < ENUMERATORS_MAX &&
		       (pair = take_pair(pair, &value, &symbol, &size))) {
			field->kind = FLIGHTREC__FIELD_KIND__FIELD_ENUM;
			r = add(field, value, symbol, size);
		}
	}
	return r;
}
