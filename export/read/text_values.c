// SPDX-License-Identifier: MIT
// Formats decoded fields for people, as JSON, and as JSON for JavaScript.
#include "export/read/text_values.h"

#include <math.h>
#include <string.h>

#include "export/read/numbers.h"

// Number.MAX_SAFE_INTEGER: a double represents all integers up to this one exactly.
#define JAVASCRIPT_INTEGER_MAX ((1ull << 53) - 1)

void frec__text_plain_value(struct frec_text *text, const struct frec_value *value)
{
	switch (value->kind) {
	case FREC_VALUE_INVALID:
		frec__text_puts(text, value->absent ? "null" : "<invalid>");
		break;
	case FREC_VALUE_POINTER:
		frec__text_pointer(text, value->u);
		break;
	case FREC_VALUE_ENUM:
		if (value->name)
			frec__text_plain(text, value->name, strlen(value->name));
		else
			frec__text_signed(text, value->i);
		break;
	case FREC_VALUE_DOUBLE:
	case FREC_VALUE_FLOAT:
		frec__text_double(text, value->d, value->kind == FREC_VALUE_FLOAT);
		break;
	case FREC_VALUE_TEXT:
		frec__text_puts(text, "\"");
		frec__text_plain(text, value->data, value->size);
		frec__text_puts(text, value->cut ? "…\"" : "\"");
		break;
	case FREC_VALUE_BYTES:
		frec__text_hex(text, value->data, value->size);
		break;
	default:
		frec__text_json_value(text, value); // integers, booleans and arrays look as in JSON
	}
}

static void add_json_array(struct frec_text *text, const struct frec_value *array,
			   void (*add)(struct frec_text *text, const struct frec_value *value))
{
	struct frec_value element;

	frec__text_puts(text, "[");
	for (size_t i = 0; frec__value_element(array, i, &element); i++) {
		if (i)
			frec__text_puts(text, ",");
		add(text, &element);
	}
	frec__text_puts(text, "]");
}

void frec__text_json_value(struct frec_text *text, const struct frec_value *value)
{
	switch (value->kind) {
	case FREC_VALUE_INVALID:
		frec__text_puts(text, "null");
		break;
	case FREC_VALUE_UNSIGNED:
		frec__text_unsigned(text, value->u);
		break;
	case FREC_VALUE_SIGNED:
		frec__text_signed(text, value->i);
		break;
	case FREC_VALUE_BOOL:
		frec__text_puts(text, value->u ? "true" : "false");
		break;
	case FREC_VALUE_POINTER:
		frec__text_puts(text, "\"");
		frec__text_pointer(text, value->u);
		frec__text_puts(text, "\"");
		break;
	case FREC_VALUE_ENUM:
		if (value->name)
			frec__text_json_puts(text, value->name);
		else
			frec__text_signed(text, value->i);
		break;
	case FREC_VALUE_DOUBLE:
	case FREC_VALUE_FLOAT: {
		const char *quote = isfinite(value->d) ? "" : "\"";

		frec__text_puts(text, quote);
		frec__text_double(text, value->d, value->kind == FREC_VALUE_FLOAT);
		frec__text_puts(text, quote);
		break;
	}
	case FREC_VALUE_TEXT:
		frec__text_json(text, value->data, value->size);
		break;
	case FREC_VALUE_BYTES:
		frec__text_puts(text, "\"");
		frec__text_hex(text, value->data, value->size);
		frec__text_puts(text, "\"");
		break;
	case FREC_VALUE_ARRAY:
		add_json_array(text, value, frec__text_json_value);
		break;
	}
}

static bool fits_javascript(const struct frec_value *value)
{
	switch (value->kind) {
	case FREC_VALUE_UNSIGNED:
		return value->u <= JAVASCRIPT_INTEGER_MAX;
	case FREC_VALUE_SIGNED:
	case FREC_VALUE_ENUM:
		return value->i <= (int64_t)JAVASCRIPT_INTEGER_MAX &&
		       value->i >= -(int64_t)JAVASCRIPT_INTEGER_MAX;
	default:
		return true;
	}
}

void frec__text_javascript_value(struct frec_text *text, const struct frec_value *value)
{
	bool fits = fits_javascript(value) || (value->kind == FREC_VALUE_ENUM && value->name);

	if (value->kind == FREC_VALUE_ARRAY) {
		add_json_array(text, value, frec__text_javascript_value);
		return;
	}
	frec__text_puts(text, fits ? "" : "\"");
	frec__text_json_value(text, value);
	frec__text_puts(text, fits ? "" : "\"");
}
