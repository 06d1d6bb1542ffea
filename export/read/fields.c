// SPDX-License-Identifier: MIT
// Types of fields, and sizes of arrays.
#include "export/read/fields.h"

enum frec_field_type frec__field_type(const Flightrec__Field *field)
{
	bool number = field->locator == FLIGHTREC__LOCATOR__LOCATOR_NONE && field->size >= 1 &&
		      field->size <= 8;

	switch (field->kind) {
	case FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED:
	case FLIGHTREC__FIELD_KIND__FIELD_SIGNED:
	case FLIGHTREC__FIELD_KIND__FIELD_BOOL:
	case FLIGHTREC__FIELD_KIND__FIELD_POINTER:
	case FLIGHTREC__FIELD_KIND__FIELD_ENUM:
		return number ? FREC_FIELD_INTEGER : FREC_FIELD_BYTES;
	case FLIGHTREC__FIELD_KIND__FIELD_FLOAT:
		return number && (field->size == 4 || field->size == 8) ? FREC_FIELD_FLOAT
									: FREC_FIELD_BYTES;
	case FLIGHTREC__FIELD_KIND__FIELD_CHARS:
	case FLIGHTREC__FIELD_KIND__FIELD_STRING:
		return FREC_FIELD_TEXT;
	case FLIGHTREC__FIELD_KIND__FIELD_ARRAY:
		return field->element_size >= 1 && field->element_size <= 8 ? FREC_FIELD_ARRAY
									    : FREC_FIELD_BYTES;
	default:
		return FREC_FIELD_BYTES;
	}
}

bool frec__field_is_readable(const Flightrec__Field *field)
{
	static const char *const types[] = {"u8[", "uint8_t[", "unsigned char["};
	const char *space = field->type ? strchr(field->type, ' ') : NULL;

	if (field->kind != FLIGHTREC__FIELD_KIND__FIELD_BYTES || !space)
		return false;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!strncmp(space + 1, types[i], strlen(types[i])))
			return true;
	}
	return false;
}

size_t frec__value_elements(const struct frec_value *array)
{
	return array->size / array->field->element_size;
}
