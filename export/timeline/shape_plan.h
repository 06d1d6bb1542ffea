/* SPDX-License-Identifier: MIT */
/* What planning by rules and planning by names share: finding fields, and making the plan of one
 * source. */
#ifndef FREC_EXPORT_TIMELINE_SHAPE_PLAN_H
#define FREC_EXPORT_TIMELINE_SHAPE_PLAN_H

#include "export/timeline/shapes.h"

/* Returns the index of the field of this name, or SIZE_MAX if there is none or `name` is NULL. */
size_t frec__plan_field(const Flightrec__Source *source, const char *name);
bool frec__plan_is_text(const Flightrec__Field *field);

/* Returns the plan of a source, and makes it first if there is none. Returns NULL if memory runs
 * out. */
struct frec_shapes_plan *frec__plan_of(struct frec_shapes *shapes, size_t host, size_t source);

/* Returns the index in shapes->spans of the kind of span that this rule makes or, if `rule` is
 * NULL, that has this system and name. Adds that kind of span if it is not there. Returns
 * UINT32_MAX if memory runs out. */
uint32_t frec__plan_span(struct frec_shapes *shapes, const struct frec_shape_rule *rule,
			 const char *system, const char *name, size_t name_length);

/* Returns the name of a field that both events have and that distinguishes one span from another
 * (the identity: see shapes.h), or NULL. */
const char *frec__plan_identity(const Flightrec__Source *begin, const Flightrec__Source *end,
				const char *span, size_t length);

/* One end of a span. */
struct frec_plan_end {
	enum frec_shape_kind kind;
	uint32_t span;	      /* index in shapes->spans */
	size_t key;	      /* index of the field; SIZE_MAX: none */
	const char *identity; /* name of the field; NULL: none */
};

/* Plans that events of the source begin or end a span, as `end` says, unless that is planned
 * already. Returns 0, or -ENOMEM, also if end->span is UINT32_MAX. */
int frec__plan_end(struct frec_shapes *shapes, size_t host, size_t source,
		   const struct frec_plan_end *end);

#endif
