/* SPDX-License-Identifier: MIT */
/*
 * The kernel's description of a tracepoint's payload: events/SYSTEM/NAME/format in tracefs.
 * libtraceevent parses such files too, but is under the LGPL and does more than is needed here.
 */
#ifndef FREC_RECORDER_DECLARED_FORMAT_H
#define FREC_RECORDER_DECLARED_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flightrec.pb-c.h"
#include "proto/error.h"

/* The size in bytes of the common fields, which the kernel puts at the start of every payload. */
#define FREC_COMMON_SIZE 8

#define FREC_FIELDS_MAX 256
#define FREC_ENUMERATORS_MAX 4096

struct frec_field {
	char *name;
	char *type;
	Flightrec__FieldKind kind;
	Flightrec__Locator locator;
	uint32_t offset, size; /* in bytes; the offset counts from the start of the payload */
	uint32_t element_size;
	bool element_signed;
	bool counted;	     /* a text of known length, which may hold NULs: see Field.counted */
	uint32_t absent_bit; /* see Field.absent_bit */
	size_t enumerators;
	struct frec_enumerator *enumerator;
};

struct frec_enumerator {
	int64_t value;
	char *name;
};

struct frec_format {
	uint32_t id; /* in the first two bytes of the payload, and in perf_event_attr.config */
	size_t count;
	struct frec_field *field; /* without the common fields */
};

/*
 * Parses the text of a format file. If `ours` is true, FREC_EVENT declared the event, and the types
 * that it uses for bool and floating-point fields are recognised as such. Returns 0, -EBADMSG or
 * -ENOMEM.
 */
int frec__format_parse(struct frec_format *format, const char *text, bool ours,
		       struct frec_error *reterr);
void frec__format_deinit(struct frec_format *format);

/*
 * Turns integer fields into enums if the text's "print fmt" names their values, as in
 * __print_symbolic(REC->state, { 1, "NEW" }, { 2, "PAID" }). Not to be used for kernel tracepoints,
 * because people know the values of their fields as numbers. Returns 0 or -ENOMEM.
 */
int frec__format_symbols(struct frec_format *format, const char *text);

/*
 * Adds a field to a format that does not come from a format file. Returns the field, so that the
 * caller can set its other members, or NULL if out of memory. The pointer is valid until the next
 * field is added.
 */
struct frec_field *frec__format_add(struct frec_format *format, const char *name, const char *type,
				    Flightrec__FieldKind kind, size_t offset, size_t size);

/* Adds an enumerator to a list. `length` is the length of `name`. Returns 0 or -ENOMEM. */
int frec__enumerators_add(struct frec_enumerator **list, size_t *count, int64_t value,
			  const char *name, size_t length);
void frec__enumerators_free(struct frec_enumerator *list, size_t count);

/* Returns the field of that name, or NULL. */
const struct frec_field *frec__format_find(const struct frec_format *format, const char *name);

/* Returns the value of an integer field in a payload, sign-extended if the field is signed, or 0 if
 * `field` is NULL or the payload is too short. */
uint64_t frec__field_value(const struct frec_field *field, const void *payload, size_t size);

#endif
