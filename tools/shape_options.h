/* SPDX-License-Identifier: MIT */
/* The options that say what events mean: --span, --counter, --flow, --log, --rules and
 * --no-conventions. */
#ifndef FREC_TOOLS_SHAPE_OPTIONS_H
#define FREC_TOOLS_SHAPE_OPTIONS_H

#include "export/timeline/shape_rules.h"
#include "tools/options.h"

#define FREC_SHAPE_OPTIONS 7

/* Fills the table of these options; `rules` has to live as long as the table is used. */
void frec__shape_options_init(struct frec_option ret[FREC_SHAPE_OPTIONS],
			      struct frec_shape_rules *rules);

#endif
