// SPDX-License-Identifier: MIT
// From bytes to values, by a layout that stands in the same file and is as little to be trusted as
// the bytes.
#include "export/fields.h"

#include <string.h>

static uint64_t load(const uint8_t *p, size_t size)
{
	uint64_t value = 0;

	// Little-endian, as all machines that record. The common sizes are no calls of memcpy.
	switch (size) {
	case 1:
		return *p;
	case 2:
		memcpy(&value, p, 2);
		return value;
	case 4:
		memcpy(&value, p, 4);
		return value;
	case 8:
		memcpy(&value, p, 8);
		return value;
	default:
		memcpy(&value, p, size);
		return value;
	}
}

static int64_t sign_extend(uint64_t value, size_t size)
{
	unsigned int shift = 64 - 8 * (unsigned int)size;

	return (int64_t)(value << shift) >> shift;
}

static const char *enumerator_name(const Flightrec__Field *field, int64_t value)
{
	for (size_t i = 0; i < field->n_enumerator; i++) {
		if (field->enumerator[i]->value == value)
			return field->enumerator[i]->name;
	}
	return NULL;
}

// Follows a locator to the data it points to. Returns false when that is not in the payload.
static bool locate(const Flightrec__Field *field, const uint8_t *payload, size_t payload_size,
		   struct frec_value *ret)
{
	uint32_t word, size;
	uint64_t offset;

	if (field->size != 4)
		return false;
	word = (uint32_t)load(payload + field->offset, 4);
	offset = word & 0xffff;
	if (field->locator == FLIGHTREC__LOCATOR__LOCATOR_RELATIVE)
		offset += (uint64_t)field->offset + 4;
	else if (field->locator != FLIGHTREC__LOCATOR__LOCATOR_DATA)
		return false;
	size = word >> 16;
	if (offset > payload_size || size > payload_size - offset)
		return false;
	ret->data = payload + offset;
	ret->size = size;
	return true;
}

static void decode_text(const Flightrec__Source *source, struct frec_value *value)
{
	// An emitter that had to cut marks it with a second NUL behind the one that every string
	// ends in.
	if (value->field->kind == FLIGHTREC__FIELD_KIND__FIELD_STRING &&
	    source->kind != FLIGHTREC__SOURCE_KIND__SOURCE_TRACEPOINT &&
	    source->kind != FLIGHTREC__SOURCE_KIND__SOURCE_USER_EVENT && value->size >= 2)
		value->cut = !value->data[value->size - 1] && !value->data[value->size - 2];
	value->size = value->size ? strnlen((const char *)value->data, value->size) : 0;
	value->kind = FREC_VALUE_TEXT;
}

static void decode_number(struct frec_value *value, Flightrec__FieldKind kind)
{
	const Flightrec__Field *field = value->field;
	uint64_t bits;

	// A size that no number has: the bytes as they are.
	if (value->size < 1 || value->size > 8) {
		value->kind = FREC_VALUE_BYTES;
		return;
	}
	bits = load(value->data, value->size);
	switch (kind) {
	case FLIGHTREC__FIELD_KIND__FIELD_SIGNED:
		value->kind = FREC_VALUE_SIGNED;
		value->i = sign_extend(bits, value->size);
		break;
	case FLIGHTREC__FIELD_KIND__FIELD_ENUM:
		value->kind = FREC_VALUE_ENUM;
		value->i = sign_extend(bits, value->size);
		value->name = enumerator_name(field, value->i);
		break;
	case FLIGHTREC__FIELD_KIND__FIELD_BOOL:
		value->kind = FREC_VALUE_BOOL;
		value->u = bits != 0;
		break;
	case FLIGHTREC__FIELD_KIND__FIELD_POINTER:
		value->kind = FREC_VALUE_POINTER;
		value->u = bits;
		break;
	case FLIGHTREC__FIELD_KIND__FIELD_FLOAT:
		if (value->size == 8) {
			value->kind = FREC_VALUE_DOUBLE;
			memcpy(&value->d, value->data, 8);
		} else if (value->size == 4) {
			float single;

			memcpy(&single, value->data, 4);
			value->kind = FREC_VALUE_FLOAT;
			value->d = (double)single;
		} else {
			value->kind = FREC_VALUE_BYTES;
		}
		break;
	default:
		value->kind = FREC_VALUE_UNSIGNED;
		value->u = bits;
	}
}

void frec__field_decode(const Flightrec__Source *source, size_t index, const uint8_t *payload,
			size_t payload_size, struct frec_value *ret)
{
	const Flightrec__Field *field = source->field[index];
	bool elsewhere = field->locator != FLIGHTREC__LOCATOR__LOCATOR_NONE ||
			 field->kind == FLIGHTREC__FIELD_KIND__FIELD_STRING ||
			 field->kind == FLIGHTREC__FIELD_KIND__FIELD_BYTES;

	*ret = (struct frec_value){.kind = FREC_VALUE_INVALID, .field = field};
	if (field->offset > payload_size || field->size > payload_size - field->offset)
		return;
	if (elsewhere) {
		if (!locate(field, payload, payload_size, ret))
			return;
	} else {
		ret->data = payload + field->offset;
		ret->size = field->size;
	}
	switch (field->kind) {
	case FLIGHTREC__FIELD_KIND__FIELD_STRING:
	case FLIGHTREC__FIELD_KIND__FIELD_CHARS:
		decode_text(source, ret);
		break;
	case FLIGHTREC__FIELD_KIND__FIELD_ARRAY:
		ret->kind = field->element_size >= 1 && field->element_size <= 8 ? FREC_VALUE_ARRAY
										 : FREC_VALUE_BYTES;
		break;
	case FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED:
	case FLIGHTREC__FIELD_KIND__FIELD_SIGNED:
	case FLIGHTREC__FIELD_KIND__FIELD_BOOL:
	case FLIGHTREC__FIELD_KIND__FIELD_POINTER:
	case FLIGHTREC__FIELD_KIND__FIELD_ENUM:
	case FLIGHTREC__FIELD_KIND__FIELD_FLOAT:
		decode_number(ret, field->kind);
		break;
	default:
		ret->kind = FREC_VALUE_BYTES;
	}
}

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

size_t frec__value_elements(const struct frec_value *array)
{
	return array->size / array->field->element_size;
}

void frec__value_element(const struct frec_value *array, size_t index, struct frec_value *ret)
{
	size_t size = array->field->element_size;
	uint64_t bits = load(array->data + index * size, size);

	*ret = (struct frec_value){.kind = FREC_VALUE_UNSIGNED, .field = array->field, .u = bits};
	if (array->field->element_signed) {
		ret->kind = FREC_VALUE_SIGNED;
		ret->i = sign_extend(bits, size);
	}
}
