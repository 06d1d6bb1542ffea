/* SPDX-License-Identifier: MIT */
/* The plan of one source: the pieces that planning by rules and planning by names share. */
#ifndef FREC_EXPORT_TIMELINE_SHAPE_PLAN_H
#define FREC_EXPORT_TIMELINE_SHAPE_PLAN_H

#include "export/timeline/shapes.h"

/* Index of the field of this name; SIZE_MAX: there is none, or `name` is NULL. */
size_t frec__plan_field(const Flightrec__Source *source, const char *name);
bool frec__plan_is_text(const Flightrec__Field *field);

/* The plan of a source, made if there is none. NULL without memory. */
struct frec_shapes_plan *frec__plan_of(struct frec_shapes *shapes, size_t host, size_t source);

/* The number of a kind of span, UINT32_MAX without memory. */
uint32_t frec__plan_span(struct frec_shapes *shapes, const struct frec_shape_rule *rule,
			 const char *system, const char *name, size_t name_length);

/* The name of a field of both events that tells one span from another, or NULL. */
const char *frec__plan_identity(const Flightrec__Source *begin, const Flightrec__Source *end,
				const char *span, size_t length);

/* One end of a span. */
struct frec_plan_end {
	enum frec_shape_kind kind;
	uint32_t span;	      /* its number */
	size_t key;	      /* index of the field, SIZE_MAX: none */
	const char *identity; /* name of the field, NULL: none */
};

/* Makes the source this end of its span, unless it is an end already. Returns 0 or -ENOMEM, also
 * for a span that is UINT32_MAX. */
int frec__plan_end(struct frec_shapes *shapes, size_t host, size_t source,
		   const struct frec_plan_end *end);

#endif
