// SPDX-License-Identifier: MIT
// Decodes the bytes of a payload to values, with the layout in its source. The layout comes from
// the same file and is trusted no more than the bytes.
#include "export/read/decode_plan.h"

#include "export/read/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "export/read/text.h"

// Looking for a name among this many enumerators takes as long as decoding a field.
#define ENUMERATORS_A_FIELD 8

enum {
	HERE,	  // the field itself is at its offset
	DATA,	  // a word at its offset says where it is, from the start of the payload
	RELATIVE, // a word at its offset says where it is, from the end of that word
	NOWHERE,  // the layout makes no sense
};

static uint8_t place_of(const Flightrec__Field *field)
{
	bool elsewhere = field->locator != FLIGHTREC__LOCATOR__LOCATOR_NONE ||
			 field->kind == FLIGHTREC__FIELD_KIND__FIELD_STRING ||
			 field->kind == FLIGHTREC__FIELD_KIND__FIELD_BYTES;

	if (!elsewhere)
		return HERE;
	if (field->size != 4)
		return NOWHERE;
	if (field->locator == FLIGHTREC__LOCATOR__LOCATOR_DATA)
		return DATA;
	return field->locator == FLIGHTREC__LOCATOR__LOCATOR_RELATIVE ? RELATIVE : NOWHERE;
}

static enum frec_value_kind number_of(Flightrec__FieldKind kind, size_t size)
{
	switch (kind) {
	case FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED:
		return FREC_VALUE_UNSIGNED;
	case FLIGHTREC__FIELD_KIND__FIELD_SIGNED:
		return FREC_VALUE_SIGNED;
	case FLIGHTREC__FIELD_KIND__FIELD_BOOL:
		return FREC_VALUE_BOOL;
	case FLIGHTREC__FIELD_KIND__FIELD_POINTER:
		return FREC_VALUE_POINTER;
	case FLIGHTREC__FIELD_KIND__FIELD_ENUM:
		return FREC_VALUE_ENUM;
	case FLIGHTREC__FIELD_KIND__FIELD_FLOAT:
		if (size == 8)
			return FREC_VALUE_DOUBLE;
		return size == 4 ? FREC_VALUE_FLOAT : FREC_VALUE_BYTES;
	default:
		return FREC_VALUE_BYTES;
	}
}

// The kind of a field of `size` bytes. A field that should hold a number counts as bytes if no
// number can have this size.
static enum frec_value_kind kind_of(const Flightrec__Field *field, size_t size)
{
	switch (field->kind) {
	case FLIGHTREC__FIELD_KIND__FIELD_STRING:
	case FLIGHTREC__FIELD_KIND__FIELD_CHARS:
		return FREC_VALUE_TEXT;
	case FLIGHTREC__FIELD_KIND__FIELD_ARRAY:
		return field->element_size >= 1 && field->element_size <= 8 ? FREC_VALUE_ARRAY
									    : FREC_VALUE_BYTES;
	default:
		return size >= 1 && size <= 8 ? number_of(field->kind, size) : FREC_VALUE_BYTES;
	}
}

static struct frec_decode_step step_of(const Flightrec__Field *field)
{
	return (struct frec_decode_step){
		.offset = field->offset,
		.size = field->size,
		.absent_bit = field->absent_bit,
		.place = place_of(field),
		.kind = (uint8_t)kind_of(field, field->size),
		.readable = frec__field_is_readable(field),
	};
}

static const char *enumerator_name(const Flightrec__Field *field, int64_t value)
{
	for (size_t i = 0; i < field->n_enumerator; i++) {
		if (field->enumerator[i]->value == value)
			return field->enumerator[i]->name;
	}
	return NULL;
}

// Finds the bytes of a field whose place is given by a word in the payload. Returns false if they
// are not inside the payload.
static bool follow(const struct frec_decode_step *step, const uint8_t *payload, size_t payload_size,
		   const uint8_t **ret_data, size_t *ret_size)
{
	size_t word, offset, size;

	if (step->place == NOWHERE)
		return false;
	word = (size_t)frec__load(payload + step->offset, 4);
	offset = word & 0xffff;
	size = word >> 16;
	if (step->place == RELATIVE)
		offset += (size_t)step->offset + 4;
	if (offset > payload_size || size > payload_size - offset)
		return false;
	*ret_data = payload + offset;
	*ret_size = size;
	return true;
}

static void decode_text(const Flightrec__Source *source, struct frec_value *value)
{
	size_t nuls = 0; // NULs at the end, counted up to 3

	while (nuls < 3 && nuls < value->size && !value->data[value->size - nuls - 1])
		nuls++;
	// An emitter that had to cut a string marks it with a second NUL at the end.
	value->cut = value->field->kind == FLIGHTREC__FIELD_KIND__FIELD_STRING &&
		     source->kind != FLIGHTREC__SOURCE_KIND__SOURCE_TRACEPOINT &&
		     source->kind != FLIGHTREC__SOURCE_KIND__SOURCE_USER_EVENT &&
		     (value->field->counted ? nuls == 2 : nuls >= 2);
	if (value->field->counted)
		value->size -= nuls < 2 ? nuls : 2;
	else
		value->size = value->size ? strnlen((const char *)value->data, value->size) : 0;
}

// Returns whether a record says that the field has no value.
static bool is_absent(const struct frec_decode_step *step, const uint8_t *payload,
		      size_t payload_size)
{
	uint32_t bit = step->absent_bit;

	return bit / 8 < payload_size && payload[bit / 8] >> bit % 8 & 1;
}

void frec__decode_plan_run(struct frec_decode_plan *plan, const uint8_t *payload,
			   size_t payload_size)
{
	const struct frec_decode_step *steps = plan->steps;
	const Flightrec__Source *source = plan->source;
	struct frec_value *values = plan->values;
	size_t count = plan->count;
	bool whole = payload_size >= plan->end; // if so, every `step` is in bounds
	size_t room = FREC_LIMIT_VALUES(payload_size);

	// The values of the previous record need not be cleared, because all members that a kind of
	// value uses are set again.
	for (size_t i = 0; i < count; i++) {
		const struct frec_decode_step *step = &steps[i];
		struct frec_value *value = &values[i];
		const uint8_t *data = payload + step->offset;
		size_t size = step->size;
		bool there = whole ||
			     (step->offset <= payload_size && size <= payload_size - step->offset);

		value->kind = step->kind;
		if (there && step->place != HERE) {
			there = follow(step, payload, payload_size, &data, &size);
			value->kind = kind_of(value->field, size);
		}
		if (!there) {
			*value = (struct frec_value){.kind = FREC_VALUE_INVALID,
						     .field = value->field};
			continue;
		}
		if (step->absent_bit && is_absent(step, payload, payload_size)) {
			*value = (struct frec_value){
				.kind = FREC_VALUE_INVALID, .field = value->field, .absent = true};
			continue;
		}
		value->data = data;
		value->size = size;
		switch (value->kind) {
		case FREC_VALUE_UNSIGNED:
		case FREC_VALUE_POINTER:
		case FREC_VALUE_DOUBLE:
			value->u = frec__load(data, size);
			break;
		case FREC_VALUE_SIGNED:
			value->i = frec__load_signed(data, size);
			break;
		case FREC_VALUE_BOOL:
			// Some types are taken for a bool that can hold other numbers.
			value->u = frec__load(data, size);
			if (value->u > 1)
				value->kind = FREC_VALUE_UNSIGNED;
			break;
		case FREC_VALUE_ENUM:
			value->i = frec__load_signed(data, size);
			value->name = enumerator_name(value->field, value->i);
			break;
		case FREC_VALUE_FLOAT: {
			float single;

			memcpy(&single, data, sizeof(single));
			value->d = (double)single;
			break;
		}
		default: // text, bytes and arrays
			// The values of an event that a recorder wrote share no bytes. Without
			// this limit, each of 512 fields could claim the whole payload.
			if (size > room) {
				*value = (struct frec_value){.kind = FREC_VALUE_INVALID,
							     .field = value->field};
				plan->left_out++;
				break;
			}
			room -= size;
			if (value->kind == FREC_VALUE_TEXT) {
				decode_text(source, value);
			} else if (value->kind == FREC_VALUE_BYTES && step->readable &&
				   frec__text_is_printable(data, size)) {
				value->kind = FREC_VALUE_TEXT;
				value->cut = false;
			}
			break;
		}
	}
}

void frec__field_decode(const Flightrec__Source *source, size_t index, const uint8_t *payload,
			size_t payload_size, struct frec_value *ret)
{
	struct frec_decode_step step = step_of(source->field[index]);
	struct frec_decode_plan plan = {.source = source,
					.steps = &step,
					.values = ret,
					.count = 1,
					.end = (size_t)step.offset + step.size};

	*ret = (struct frec_value){.field = source->field[index]};
	frec__decode_plan_run(&plan, payload, payload_size);
}

uint32_t frec__decode_work(const Flightrec__Source *source)
{
	uint32_t work = 0;

	for (size_t i = 0; i < source->n_field; i++)
		work += 1 + (uint32_t)(source->field[i]->n_enumerator / ENUMERATORS_A_FIELD);
	return work;
}

int frec__decode_plan_init(struct frec_decode_plan *plan, const Flightrec__Source *source)
{
	*plan = (struct frec_decode_plan){
		.source = source,
		.count = source->n_field,
		.work = frec__decode_work(source),
		.steps = calloc(source->n_field + 1, sizeof(*plan->steps)),
		.values = calloc(source->n_field + 1, sizeof(*plan->values)),
	};
	if (!plan->steps || !plan->values) {
		frec__decode_plan_deinit(plan);
		return -ENOMEM;
	}
	for (size_t i = 0; i < source->n_field; i++) {
		const Flightrec__Field *field = source->field[i];
		size_t end = (size_t)field->offset + field->size;

		plan->values[i].field = field;
		plan->steps[i] = step_of(field);
		if (end > plan->end)
			plan->end = end;
	}
	return 0;
}

void frec__decode_plan_deinit(struct frec_decode_plan *plan)
{
	free(plan->steps);
	free(plan->values);
	*plan = (struct frec_decode_plan){0};
}
