/* SPDX-License-Identifier: MIT */
/* The second step of preparing shapes: what the events of each source mean. */
#ifndef FREC_EXPORT_TIMELINE_SHAPE_PLANS_H
#define FREC_EXPORT_TIMELINE_SHAPE_PLANS_H

#include "export/timeline/shapes.h"

/* Makes the plans of all sources. `rules` must outlive the shapes, and may be NULL. Returns 0,
 * -EINVAL if a rule does not fit the events, or -ENOMEM. */
int frec__shapes_plan(struct frec_shapes *shapes, const struct frec_shape_rules *rules,
		      struct frec_error *reterr);

#endif
