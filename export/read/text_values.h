/* SPDX-License-Identifier: MIT */
/* Decoded fields as text. */
#ifndef FREC_EXPORT_READ_TEXT_VALUES_H
#define FREC_EXPORT_READ_TEXT_VALUES_H

#include "export/read/fields.h"
#include "export/read/text.h"

/* Adds a value for people: text in quotes, safe on a terminal. */
void frec__text_plain_value(struct frec_text *text, const struct frec_value *value);

/* Adds a value as JSON. */
void frec__text_json_value(struct frec_text *text, const struct frec_value *value);

/* Adds a value as JSON for programs that turn all numbers into doubles: integers from 2^53 on,
 * positive or negative, become strings. */
void frec__text_javascript_value(struct frec_text *text, const struct frec_value *value);

#endif
