/* SPDX-License-Identifier: MIT */
/* Plans by the names of events, for those that no rule matches. */
#ifndef FREC_EXPORT_TIMELINE_SHAPE_BY_NAMES_H
#define FREC_EXPORT_TIMELINE_SHAPE_BY_NAMES_H

#include "export/timeline/shapes.h"

/* Applies the conventions of names to a host's sources. Returns 0 or -ENOMEM. */
int frec__plan_by_names(struct frec_shapes *shapes, size_t host);

#endif
