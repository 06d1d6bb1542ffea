// SPDX-License-Identifier: MIT
// Parses rules.
#include "export/timeline/shape_rules.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/cleanup.h"
#include "proto/grow.h"

static const struct {
	const char *name, *form;
} kinds[] = {
	[FREC_RULE_SPAN] = {"span", "BEGIN,END[,key=FIELD][,name=NAME]"},
	[FREC_RULE_COUNTER] = {"counter", "EVENT.FIELD[,name=NAME]"},
	[FREC_RULE_FLOW] = {"flow", "FIELD or EVENT.FIELD, several with commas between"},
	[FREC_RULE_LOG] = {"log", "EVENT.FIELD[,level=FIELD]"},
};

static const char *after(const char *word, const char *prefix)
{
	size_t length = strlen(prefix);

	return !strncmp(word, prefix, length) && word[length] ? word + length : NULL;
}

// Parses key=, name= or level=. Returns false if the word is none of these, or if rules of this
// kind do not have it.
static bool parse_option(struct frec_shape_rule *rule, const char *word)
{
	const char *value;

	if (rule->kind == FREC_RULE_SPAN && (value = after(word, "key=")))
		rule->key = value;
	else if ((rule->kind == FREC_RULE_SPAN || rule->kind == FREC_RULE_COUNTER) &&
		 (value = after(word, "name=")))
		rule->name = value;
	else if (rule->kind == FREC_RULE_LOG && (value = after(word, "level=")))
		rule->level = value;
	else
		return false;
	return true;
}

// Parses "EVENT.FIELD" or, in a flow, "FIELD" alone. Returns false if the word is neither.
static bool parse_field(struct frec_shape_rule *rule, char *word)
{
	char *dot = strrchr(word, '.');

	if (dot) {
		*dot = '\0';
		rule->event = word;
		word = dot + 1;
	}
	rule->field = word;
	if (!*word || (rule->event && !strchr(rule->event, ':')))
		return false;
	return rule->event || rule->kind == FREC_RULE_FLOW;
}

static bool parse(struct frec_shape_rule *rule)
{
	char *rest = rule->text, *word = strsep(&rest, ",");

	if (rule->kind == FREC_RULE_SPAN) {
		rule->event = word;
		rule->end = strsep(&rest, ",");
		if (!rule->end || !strchr(rule->event, ':') || !strchr(rule->end, ':'))
			return false;
	} else if (!parse_field(rule, word)) {
		return false;
	}
	while ((word = strsep(&rest, ","))) {
		if (!parse_option(rule, word))
			return false;
	}
	return true;
}

static void free_rule(struct frec_shape_rule *rule)
{
	free(rule->text);
	free(rule->whole);
}

static int add(struct frec_shape_rules *rules, enum frec_shape_rule_kind kind, const char *text,
	       size_t group, const char *whole, struct frec_error *reterr)
{
	struct frec_shape_rule rule = {
		.kind = kind, .text = strdup(text), .whole = strdup(whole), .group = group};

	if (!rule.text || !rule.whole || !frec__grow(&rules->rules, rules->count, sizeof(rule))) {
		free_rule(&rule);
		return frec__error(reterr, -ENOMEM, "out of memory");
	}
	if (!parse(&rule)) {
		free_rule(&rule);
		return frec__error(reterr, -EINVAL,
				   "%.128s: not a %s: give %s, with events as SYSTEM:NAME", whole,
				   kinds[kind].name, kinds[kind].form);
	}
	rules->rules[rules->count++] = rule;
	return 0;
}

int frec__shape_rules_add(struct frec_shape_rules *rules, enum frec_shape_rule_kind kind,
			  const char *text, struct frec_error *reterr)
{
	size_t group = rules->count;
	FREC_FREE char *copy = NULL;
	char *rest, *word;
	int r = 0;

	if (kind != FREC_RULE_FLOW)
		return add(rules, kind, text, group, text, reterr);
	copy = rest = strdup(text);
	if (!copy)
		return frec__error(reterr, -ENOMEM, "out of memory");
	while (!r && (word = strsep(&rest, ",")))
		r = add(rules, kind, word, group, text, reterr);
	return r;
}

static int add_line(struct frec_shape_rules *rules, char *line, const char *path, size_t number,
		    struct frec_error *reterr)
{
	struct frec_error error = {0};
	char *kind, *text;
	size_t length;

	line[strcspn(line, "#\n")] = '\0';
	line += strspn(line, " \t");
	if (!*line)
		return 0;
	kind = strsep(&line, " \t");
	text = line ? line + strspn(line, " \t") : (char *)"";
	for (length = strlen(text); length && isspace((unsigned char)text[length - 1]); length--)
		text[length - 1] = '\0';
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, kind))
			continue;
		if (!frec__shape_rules_add(rules, (enum frec_shape_rule_kind)i, text, &error))
			return 0;
		return frec__error(reterr, error.code, "%s: line %zu: %s", path, number,
				   error.message);
	}
	return frec__error(reterr, -EINVAL,
			   "%s: line %zu: %.64s: not a rule: a rule is span, counter, flow or log, "
			   "and the value of the option of that name",
			   path, number, kind);
}

int frec__shape_rules_read(struct frec_shape_rules *rules, const char *path,
			   struct frec_error *reterr)
{
	FILE *file = fopen(path, "re");
	FREC_FREE char *line = NULL;
	size_t size = 0, number = 0;
	int r = 0;

	if (!file) {
		r = -errno;
		return frec__error(reterr, r, "%s: cannot be read: %s", path, strerror(-r));
	}
	while (!r && getline(&line, &size, file) >= 0)
		r = add_line(rules, line, path, ++number, reterr);
	if (!r && ferror(file))
		r = frec__error(reterr, -EIO, "%s: cannot be read", path);
	fclose(file);
	return r;
}

void frec__shape_rules_free(struct frec_shape_rules *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		free_rule(&rules->rules[i]);
	free(rules->rules);
	*rules = (struct frec_shape_rules){0};
}
