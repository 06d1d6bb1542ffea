/* SPDX-License-Identifier: MIT */
/*
 * What people say that events mean. A rule is a kind and a text:
 *
 *     span     BEGIN,END[,key=FIELD][,name=NAME]   what begins with one event and ends with another
 *     counter  EVENT.FIELD[,name=NAME]             a number that has this value from then on
 *     flow     [EVENT.]FIELD[,[EVENT.]FIELD...] events with one value in one of these belong
 *              together
 *     log      EVENT.FIELD[,level=FIELD]           a line of a log
 *
 * EVENT, BEGIN and END are globs over SYSTEM:NAME. A file of rules has one a line, with # before
 * what is none. Rules are needed where the names of events do not say it already: shapes.h tells
 * which do.
 */
#ifndef FREC_EXPORT_TIMELINE_SHAPE_RULES_H
#define FREC_EXPORT_TIMELINE_SHAPE_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/error.h"

enum frec_shape_rule_kind { FREC_RULE_SPAN, FREC_RULE_COUNTER, FREC_RULE_FLOW, FREC_RULE_LOG };

struct frec_shape_rule {
	enum frec_shape_rule_kind kind;
	char *text;	   /* owns what the others point to */
	char *whole;	   /* as it was given, for messages */
	const char *event; /* of a span: BEGIN; NULL: any event */
	const char *end;   /* of a span */
	const char *field;
	const char *key, *name, *level; /* NULL: not given */
	size_t group; /* of a flow: the same in all of its fields, of which each is a rule */
};

/* Start with zeroes. */
struct frec_shape_rules {
	struct frec_shape_rule *rules;
	size_t count;
	bool no_conventions; /* names of events say nothing */
};

/* Returns 0, -EINVAL with a sentence, or -ENOMEM. */
int frec__shape_rules_add(struct frec_shape_rules *rules, enum frec_shape_rule_kind kind,
			  const char *text, struct frec_error *reterr);

/* Adds those of a file. */
int frec__shape_rules_read(struct frec_shape_rules *rules, const char *path,
			   struct frec_error *reterr);
void frec__shape_rules_free(struct frec_shape_rules *rules);

#endif
