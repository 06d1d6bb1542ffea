/* SPDX-License-Identifier: MIT */
/* Plans the sources that no rule matches, by the names of their events. */
#ifndef FREC_EXPORT_TIMELINE_SHAPE_BY_NAMES_H
#define FREC_EXPORT_TIMELINE_SHAPE_BY_NAMES_H

#include "export/timeline/shapes.h"

/* Applies the conventions of names (shapes.h) to a host's sources. Returns 0 or -ENOMEM. */
int frec__plan_by_names(struct frec_shapes *shapes, size_t host);

#endif
