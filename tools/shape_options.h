/* SPDX-License-Identifier: MIT */
/* --span, --counter, --flow, --log, --rules and --no-conventions: what events mean. */
#ifndef FREC_TOOLS_SHAPE_OPTIONS_H
#define FREC_TOOLS_SHAPE_OPTIONS_H

#include "export/timeline/shape_rules.h"

enum {
	FREC_OPTION_SPAN = 640,
	FREC_OPTION_COUNTER,
	FREC_OPTION_FLOW,
	FREC_OPTION_LOG,
	FREC_OPTION_RULES,
	FREC_OPTION_NO_CONVENTIONS
};

/* For the array of getopt_long(3). */
#define FREC_RULE_OPTIONS \
	{"span", required_argument, NULL, FREC_OPTION_SPAN}, \
		{"counter", required_argument, NULL, FREC_OPTION_COUNTER}, \
		{"flow", required_argument, NULL, FREC_OPTION_FLOW}, \
		{"log", required_argument, NULL, FREC_OPTION_LOG}, \
		{"rules", required_argument, NULL, FREC_OPTION_RULES}, \
	{ \
		"no-conventions", no_argument, NULL, FREC_OPTION_NO_CONVENTIONS \
	}

/* For the command's help. */
extern const char frec__shape_options_help[];

/* Takes in one of these. Returns 1 if it was one, 0 if it is another option, or a negative
 * errno. */
int frec__shape_options_take(struct frec_shape_rules *rules, int option, const char *value,
			     struct frec_error *reterr);

#endif
