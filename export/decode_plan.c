// SPDX-License-Identifier: MIT
// Numbers at fixed places, which most fields are, take a load; everything else goes by frec__field_decode().
#include "export/decode_plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	OTHERWISE,
	UNSIGNED_1,
	UNSIGNED_2,
	UNSIGNED_4,
	BITS_8, // a signed, an unsigned, a pointer, a double: the same load
	SIGNED_1,
	SIGNED_2,
	SIGNED_4,
	BOOL_1,
};

static const uint8_t unsigned_load[9] = {
	[1] = UNSIGNED_1, [2] = UNSIGNED_2, [4] = UNSIGNED_4, [8] = BITS_8};
static const uint8_t signed_load[9] = {[1] = SIGNED_1, [2] = SIGNED_2, [4] = SIGNED_4, [8] = BITS_8};

static void settle(struct frec_decode_step *step, const Flightrec__Field *field)
{
	if (field->locator != FLIGHTREC__LOCATOR__LOCATOR_NONE || field->size > 8)
		return;
	step->offset = field->offset;
	step->size = (uint8_t)field->size;
	switch (field->kind) {
	case FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED:
		step->kind = FREC_VALUE_UNSIGNED;
		step->load = unsigned_load[field->size];
		break;
	case FLIGHTREC__FIELD_KIND__FIELD_SIGNED:
		step->kind = FREC_VALUE_SIGNED;
		step->load = signed_load[field->size];
		break;
	case FLIGHTREC__FIELD_KIND__FIELD_POINTER:
		step->kind = FREC_VALUE_POINTER;
		step->load = unsigned_load[field->size];
		break;
	case FLIGHTREC__FIELD_KIND__FIELD_BOOL:
		step->kind = FREC_VALUE_BOOL;
		step->load = field->size == 1 ? BOOL_1 : OTHERWISE;
		break;
	case FLIGHTREC__FIELD_KIND__FIELD_FLOAT:
		step->kind = FREC_VALUE_DOUBLE;
		step->load = field->size == 8 ? BITS_8 : OTHERWISE;
		break;
	default:
		break;
	}
}

int frec__decode_plan_init(struct frec_decode_plan *plan, const Flightrec__Source *source)
{
	*plan = (struct frec_decode_plan){
		.source = source,
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
		settle(&plan->steps[i], field);
		if (plan->steps[i].load != OTHERWISE && end > plan->end)
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

static uint64_t load_4(const uint8_t *p)
{
	uint32_t value;

	memcpy(&value, p, sizeof(value));
	return value;
}

static uint64_t load_2(const uint8_t *p)
{
	uint16_t value;

	memcpy(&value, p, sizeof(value));
	return value;
}

void frec__decode_plan_run(struct frec_decode_plan *plan, const uint8_t *payload,
			   size_t payload_size)
{
	bool whole = payload_size >= plan->end;

	for (size_t i = 0; i < plan->source->n_field; i++) {
		const struct frec_decode_step *step = &plan->steps[i];
		struct frec_value *value = &plan->values[i];
		const uint8_t *p = payload + step->offset;

		switch (whole ? step->load : OTHERWISE) {
		case UNSIGNED_1:
			value->u = *p;
			break;
		case UNSIGNED_2:
			value->u = load_2(p);
			break;
		case UNSIGNED_4:
			value->u = load_4(p);
			break;
		case BITS_8:
			memcpy(&value->u, p, 8);
			break;
		case SIGNED_1:
			value->i = (int8_t)*p;
			break;
		case SIGNED_2:
			value->i = (int16_t)load_2(p);
			break;
		case SIGNED_4:
			value->i = (int32_t)load_4(p);
			break;
		case BOOL_1:
			value->u = *p != 0;
			break;
		default:
			frec__field_decode(plan->source, i, payload, payload_size, value);
			continue;
		}
		// A record before this one may have been too short for it.
		value->kind = step->kind;
		value->data = p;
		value->size = step->size;
	}
}
