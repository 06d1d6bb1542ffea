// SPDX-License-Identifier: MIT
// Options that define spans, counters, flows and logs.
#include "tools/shape_options.h"

#include <string.h>

static int add_span(void *rules, const char *value, struct frec_error *reterr)
{
	return frec__shape_rules_add(rules, FREC_RULE_SPAN, value, reterr);
}

static int add_counter(void *rules, const char *value, struct frec_error *reterr)
{
	return frec__shape_rules_add(rules, FREC_RULE_COUNTER, value, reterr);
}

static int add_flow(void *rules, const char *value, struct frec_error *reterr)
{
	return frec__shape_rules_add(rules, FREC_RULE_FLOW, value, reterr);
}

static int add_log(void *rules, const char *value, struct frec_error *reterr)
{
	return frec__shape_rules_add(rules, FREC_RULE_LOG, value, reterr);
}

static int read_rules(void *rules, const char *value, struct frec_error *reterr)
{
	return frec__shape_rules_read(rules, value, reterr);
}

void frec__shape_options_init(struct frec_option ret[FREC_SHAPE_OPTIONS],
			      struct frec_shape_rules *rules)
{
	const struct frec_option options[FREC_SHAPE_OPTIONS] = {
		{.name = "span",
		 .value = "BEGIN,END[,key=FIELD][,name=NAME]",
		 .parse = add_span,
		 .data = rules,
		 .help = "a span from one event to another: on one thread, or with a key wherever "
			 "the field has the same value; this and the next may be given several "
			 "times"},
		{.name = "counter",
		 .value = "EVENT.FIELD[,name=NAME]",
		 .parse = add_counter,
		 .data = rules,
		 .help = "draw the field as a counter"},
		{.name = "flow",
		 .value = "[EVENT.]FIELD[,[EVENT.]FIELD]...",
		 .parse = add_flow,
		 .data = rules,
		 .help = "link events that have the same value in such a field by arrows"},
		{.name = "log",
		 .value = "EVENT.FIELD[,level=FIELD]",
		 .parse = add_log,
		 .data = rules,
		 .help = "the field is a line of a log"},
		{.name = "rules",
		 .value = "FILE",
		 .parse = read_rules,
		 .data = rules,
		 .reads_file = true,
		 .help = "read rules from a file, one on each line: span, counter, flow or log, "
			 "and the argument"},
		{.name = "no-conventions",
		 .flag = &rules->no_conventions,
		 .help = "ignore names such as request_start and request_done, or a field message"},
		{0}};

	memcpy(ret, options, sizeof(options));
}
