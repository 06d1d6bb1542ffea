/* SPDX-License-Identifier: MIT */
/*
 * Rules by which people say what events mean. A rule is a kind and a text:
 *
 *     span     BEGIN,END[,key=FIELD][,name=NAME]  one event begins a span, another ends it
 *     counter  EVENT.FIELD[,name=NAME]            a value, valid until the next event
 *     flow     [EVENT.]FIELD[,[EVENT.]FIELD...]   events with the same value in one of these fields
 *                                                 belong together
 *     log      EVENT.FIELD[,level=FIELD]          a line of a log
 *
 * EVENT, BEGIN and END are globs over SYSTEM:NAME. A file has one rule per line; a comment begins
 * with #. Rules are needed only for events whose names do not say already what they mean: shapes.h
 * lists the names that do.
 */
#ifndef FREC_EXPORT_TIMELINE_SHAPE_RULES_H
#define FREC_EXPORT_TIMELINE_SHAPE_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/error.h"

enum frec_shape_rule_kind { FREC_RULE_SPAN, FREC_RULE_COUNTER, FREC_RULE_FLOW, FREC_RULE_LOG };

struct frec_shape_rule {
	enum frec_shape_rule_kind kind;
	char *text;	   /* the pointers below, except `whole`, point into it */
	char *whole;	   /* the text as it was given, for messages */
	const char *event; /* of a span: BEGIN; NULL: every event */
	const char *end;   /* of a span */
	const char *field;
	const char *key, *name, *level; /* NULL: not given */
	/* of a flow: each of its fields is a separate rule, and these rules have the same group */
	size_t group;
};

/* Start with zeroes. */
struct frec_shape_rules {
	struct frec_shape_rule *rules;
	size_t count;
	bool no_conventions; /* ignore the names of events */
};

/* Adds a rule. Returns 0, -EINVAL with a sentence that says what is wrong, or -ENOMEM. */
int frec__shape_rules_add(struct frec_shape_rules *rules, enum frec_shape_rule_kind kind,
			  const char *text, struct frec_error *reterr);

/* Adds the rules of a file. Returns 0 or a negative errno with a message. */
int frec__shape_rules_read(struct frec_shape_rules *rules, const char *path,
			   struct frec_error *reterr);
void frec__shape_rules_free(struct frec_shape_rules *rules);

#endif
