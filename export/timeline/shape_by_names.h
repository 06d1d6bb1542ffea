/* SPDX-License-Identifier: MIT */
/* Plans what events mean according to their names, where no rule has planned that. */
#ifndef FREC_EXPORT_TIMELINE_SHAPE_BY_NAMES_H
#define FREC_EXPORT_TIMELINE_SHAPE_BY_NAMES_H

#include "export/timeline/shapes.h"

/* Applies the naming conventions (shapes.h) to a host's sources. Returns 0 or -ENOMEM. */
int frec__plan_by_names(struct frec_shapes *shapes, size_t host);

#endif
