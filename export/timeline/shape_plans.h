/* SPDX-License-Identifier: MIT */
/* What makes plans by rules and what makes them by names have in common. */
#ifndef FREC_EXPORT_TIMELINE_SHAPE_PLANS_H
#define FREC_EXPORT_TIMELINE_SHAPE_PLANS_H

#include "export/timeline/shapes.h"

/* Index of the field of this name; SIZE_MAX: there is none, or `name` is NULL. */
size_t frec__plan_field(const Flightrec__Source *source, const char *name);
bool frec__plan_is_text(const Flightrec__Field *field);

/* The plan of a source, made if there is none. NULL without memory. */
struct frec_shapes_plan *frec__plan_of(struct frec_shapes *shapes, size_t host, size_t source);

/* The number of a kind of span, UINT32_MAX without memory. */
uint32_t frec__plan_span(struct frec_shapes *shapes, const struct frec_shape_rule *rule,
			 const char *system, const char *name, size_t name_length);

/* A field of both that tells which span of several it is, or NULL. */
const char *frec__plan_identity(const Flightrec__Source *begin, const Flightrec__Source *end,
				const char *span, size_t length);

/* Makes the source an end of the span, unless it is one already. Returns 0 or -ENOMEM, also for a
 * span that is UINT32_MAX. */
int frec__plan_end(struct frec_shapes *shapes, size_t host, size_t source,
		   enum frec_shape_kind kind, uint32_t span, size_t key, const char *identity);

/* What the names of a host's events say, where no rule has said it. Returns 0 or -ENOMEM. */
int frec__plan_by_names(struct frec_shapes *shapes, size_t host);

#endif
