/* SPDX-License-Identifier: MIT */
/* Fields and their decoded, typed values. */
#ifndef FREC_EXPORT_READ_FIELDS_H
#define FREC_EXPORT_READ_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "flightrec.pb-c.h"

enum frec_value_kind {
	/* the field has no value, or cannot be decoded, for example because it lies outside the
	 * payload */
	FREC_VALUE_INVALID,
	FREC_VALUE_UNSIGNED,
	FREC_VALUE_SIGNED,
	FREC_VALUE_BOOL,    /* in `u` */
	FREC_VALUE_POINTER, /* in `u` */
	FREC_VALUE_ENUM,    /* in `i`; `name` is set if the field names this value */
	FREC_VALUE_DOUBLE,
	FREC_VALUE_FLOAT, /* in `d`, with the precision of a float */
	/* any bytes: Linux does not guarantee UTF-8, and a text of known length may hold NULs. Also
	 * the value of a field of bytes that are printable */
	FREC_VALUE_TEXT,
	FREC_VALUE_BYTES,
	FREC_VALUE_ARRAY, /* of integers, which frec__value_element() returns */
};

struct frec_value {
	enum frec_value_kind kind;
	const Flightrec__Field *field;
	union {
		uint64_t u;
		int64_t i;
		double d;
	};
	const char *name; /* of an enum's value, or NULL */
	/* of text, bytes and arrays: points into the payload, or to a converted value */
	const uint8_t *data;
	size_t size;
	bool cut; /* the text is not complete, because it was too long */
	/* of FREC_VALUE_INVALID: the record says that there is no value, see Field.absent_bit */
	bool absent;
};

/* Returns a number of 1 to 8 bytes, which are little-endian because all machines that can record
 * are. The common sizes have their own cases, so that no memcpy() is called for them. */
static inline uint64_t frec__load(const uint8_t *p, size_t size)
{
	uint64_t value = 0;

	switch (size) {
	case 8:
		memcpy(&value, p, 8);
		return value;
	case 4:
		memcpy(&value, p, 4);
		return value;
	case 2:
		memcpy(&value, p, 2);
		return value;
	case 1:
		return *p;
	default:
		memcpy(&value, p, size);
		return value;
	}
}

static inline int64_t frec__load_signed(const uint8_t *p, size_t size)
{
	unsigned int shift = 64 - 8 * (unsigned int)size;

	return (int64_t)(frec__load(p, size) << shift) >> shift;
}

/* The type that the values of a field have in all records. Export formats that declare types before
 * the events use this. */
enum frec_field_type {
	FREC_FIELD_INTEGER, /* of field->size bytes */
	FREC_FIELD_FLOAT,
	FREC_FIELD_TEXT,
	FREC_FIELD_BYTES, /* also a number or an array whose size makes no sense */
	FREC_FIELD_ARRAY, /* of integers of field->element_size bytes */
};
enum frec_field_type frec__field_type(const Flightrec__Field *field);

/* Returns whether the field has bytes, which are decoded to text if they are printable. The kernel
 * also declares arrays of numbers and masks of CPUs as bytes; this returns false for those, because
 * they are never text. */
bool frec__field_is_readable(const Flightrec__Field *field);

/* The number of elements of an array. */
size_t frec__value_elements(const struct frec_value *array);

/* Sets *ret to the element at `index`, a signed or unsigned value. Returns false if there is
 * none. */
static inline bool frec__value_element(const struct frec_value *array, size_t index,
				       struct frec_value *ret)
{
	size_t size = array->field->element_size;
	const uint8_t *data = array->data + index * size;

	if ((index + 1) * size > array->size)
		return false;
	*ret = (struct frec_value){.field = array->field};
	if (array->field->element_signed) {
		ret->kind = FREC_VALUE_SIGNED;
		ret->i = frec__load_signed(data, size);
	} else {
		ret->kind = FREC_VALUE_UNSIGNED;
		ret->u = frec__load(data, size);
	}
	return true;
}

#endif
