/* SPDX-License-Identifier: MIT */
/* Plans sources by rules. */
#ifndef FREC_EXPORT_TIMELINE_SHAPE_BY_RULES_H
#define FREC_EXPORT_TIMELINE_SHAPE_BY_RULES_H

#include "export/timeline/shapes.h"

/* Applies a rule to the sources of all hosts. Returns 0, -EINVAL if the rule fits no event or names
 * a field that an event does not have, or -ENOMEM. */
int frec__plan_by_rule(struct frec_shapes *shapes, const struct frec_shape_rule *rule,
		       struct frec_error *reterr);

#endif
