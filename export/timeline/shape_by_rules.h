/* SPDX-License-Identifier: MIT */
/* Plans by rules. */
#ifndef FREC_EXPORT_TIMELINE_SHAPE_BY_RULES_H
#define FREC_EXPORT_TIMELINE_SHAPE_BY_RULES_H

#include "export/timeline/shapes.h"

/* Applies a rule to the sources of all hosts. Returns 0, -EINVAL if it fits no event, or
 * -ENOMEM. */
int frec__plan_by_rule(struct frec_shapes *shapes, const struct frec_shape_rule *rule,
		       struct frec_error *reterr);

#endif
