/* SPDX-License-Identifier: MIT */
/* A plan for decoding the fields of a source's records. It holds what is the same for all of these
 * records, so that this is worked out only once. */
#ifndef FREC_EXPORT_READ_DECODE_PLAN_H
#define FREC_EXPORT_READ_DECODE_PLAN_H

#include "export/read/fields.h"

struct frec_decode_step {
	/* of the field itself, or of the word that says where it is */
	uint32_t offset, size;
	uint32_t absent_bit; /* Field.absent_bit */
	uint8_t place;	     /* enum in decode_plan.c */
	/* enum frec_value_kind of the value. If a word says where the field is, that word also
	 * holds the field's size in each record, and the kind can depend on the size. */
	uint8_t kind;
	bool readable; /* bytes that become text if they are printable */
};

/* Start with zeroes. */
struct frec_decode_plan {
	const Flightrec__Source *source;
	struct frec_decode_step *steps; /* one for each field */
	struct frec_value *values;	/* of the record decoded last */
	size_t count;			/* how many fields there are */
	/* a payload of at least this size holds every field, or the word that says where it is */
	size_t end;
	uint32_t work; /* frec__decode_work() of the source */
	/* how many values were left out because of FREC_LIMIT_VALUES; the caller may reset it */
	uint64_t left_out;
};

/* Returns how much of FREC_LIMIT_FIELDS decoding one record of `source` uses up. */
uint32_t frec__decode_work(const Flightrec__Source *source);

/* Makes a plan for `source`, which must outlive it. Returns 0 or -ENOMEM. */
int frec__decode_plan_init(struct frec_decode_plan *plan, const Flightrec__Source *source);
void frec__decode_plan_deinit(struct frec_decode_plan *plan);

/* Decodes all fields into plan->values, which point into the payload. Never fails and never reads
 * outside the payload: a field that cannot be decoded, or that exceeds FREC_LIMIT_VALUES, is
 * FREC_VALUE_INVALID. */
void frec__decode_plan_run(struct frec_decode_plan *plan, const uint8_t *payload,
			   size_t payload_size);

/* Decodes one field of a payload, without a plan. Never fails and never reads outside the payload:
 * a field that cannot be decoded is FREC_VALUE_INVALID. */
void frec__field_decode(const Flightrec__Source *source, size_t index, const uint8_t *payload,
			size_t payload_size, struct frec_value *ret);

#endif
