/* SPDX-License-Identifier: MIT */
/* The kernel's description of a tracepoint's payload: events/SYSTEM/NAME/format in tracefs. */
#ifndef FREC_RECORDER_DECLARED_FORMAT_H
#define FREC_RECORDER_DECLARED_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flightrec.pb-c.h"
#include "proto/error.h"

#define FREC_FIELDS_MAX 256

struct frec_field {
	char *name;
	char *type;
	Flightrec__FieldKind kind;
	Flightrec__Locator locator;
	uint32_t offset, size; /* bytes, from the start of the payload */
	uint32_t element_size;
	bool element_signed;
	size_t enumerators;
	struct frec_enumerator *enumerator;
};

struct frec_enumerator {
	int64_t value;
	char *name;
};

struct frec_format {
	uint32_t id; /* what the payload begins with, and perf_event_attr.config */
	size_t count;
	struct frec_field *field; /* without the common fields */
};

/*
 * Parses the text of a format file. `ours` says that FREC_EVENT declared it, whose spellings for
 * bool and floating point are then understood. Returns 0, -EBADMSG or -ENOMEM.
 */
int frec__format_parse(struct frec_format *format, const char *text, bool ours,
		       struct frec_error *reterr);
void frec__format_deinit(struct frec_format *format);

/*
 * Makes enums of those integer fields whose values have names in the text's "print fmt". Not done
 * for the kernel's own, whose numbers have a meaning of their own. Returns 0 or -ENOMEM.
 */
int frec__format_symbols(struct frec_format *format, const char *text);

/*
 * Adds a field to a format that no tracefs describes. Returns the field, for what is left to say of
 * it, or NULL without memory. It is valid until the next is added.
 */
struct frec_field *frec__format_add(struct frec_format *format, const char *name, const char *type,
				    Flightrec__FieldKind kind, size_t offset, size_t size);

/* The field of that name, or NULL. */
const struct frec_field *frec__format_find(const struct frec_format *format, const char *name);

/* The value of an integer field in a payload, 0 when the payload is too short. Signed ones are
 * sign-extended. */
uint64_t frec__field_value(const struct frec_field *field, const void *payload, size_t size);

#endif
