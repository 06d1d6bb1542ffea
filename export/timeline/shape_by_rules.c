// SPDX-License-Identifier: MIT
// Plans by rules: which sources a rule matches, and what it plans for their events.
#include "export/timeline/shape_by_rules.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/timeline/shape_plan.h"
#include "proto/grow.h"

static bool matches(const char *glob, const Flightrec__Source *source)
{
	char name[512];

	if (!glob)
		return true;
	snprintf(name, sizeof(name), "%s:%s", source->system, source->name);
	return !fnmatch(glob, name, 0);
}

static bool is_number(const Flightrec__Field *field)
{
	switch (field->kind) {
	case FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED:
	case FLIGHTREC__FIELD_KIND__FIELD_SIGNED:
	case FLIGHTREC__FIELD_KIND__FIELD_ENUM:
	case FLIGHTREC__FIELD_KIND__FIELD_BOOL:
	case FLIGHTREC__FIELD_KIND__FIELD_FLOAT:
		return true;
	default:
		return false;
	}
}

// Returns the length of the names' common prefix, without its trailing underscores.
static size_t common_stem(const char *a, const char *b)
{
	size_t length = 0;

	while (a[length] && a[length] == b[length])
		length++;
	while (length && a[length - 1] == '_')
		length--;
	return length;
}

// Returns the first source of any host that the glob matches, or NULL.
static const Flightrec__Source *first_match(const struct frec_shapes *shapes, const char *glob)
{
	for (size_t h = 0; h < shapes->host_count; h++) {
		const struct frec_snapshot *snapshot = shapes->hosts->hosts[h].snapshot;

		for (size_t i = 0; i < snapshot->source_count; i++) {
			if (matches(glob, snapshot->sources[i]))
				return snapshot->sources[i];
		}
	}
	return NULL;
}

static int plan_span_rule(struct frec_shapes *shapes, const struct frec_shape_rule *rule,
			  struct frec_error *reterr)
{
	const Flightrec__Source *begin = first_match(shapes, rule->event);
	const Flightrec__Source *end = first_match(shapes, rule->end);
	const char *name = rule->name, *identity;
	struct frec_plan_end ends;
	size_t length, stem;

	if (!begin || !end)
		return frec__error(
			reterr, -EINVAL,
			"span %.128s: no event %.64s: 'flightrec show' lists what a file holds",
			rule->whole, begin ? rule->end : rule->event);
	stem = common_stem(begin->name, end->name);
	length = name ? strlen(name) : stem ? stem : strlen(begin->name);
	identity = rule->key ? NULL
			     : frec__plan_identity(begin, end, name ? name : begin->name, length);
	ends = (struct frec_plan_end){.span = frec__plan_span(shapes, rule, begin->system,
							      name ? name : begin->name, length),
				      .identity = identity};
	for (size_t h = 0; h < shapes->host_count; h++) {
		const struct frec_snapshot *snapshot = shapes->hosts->hosts[h].snapshot;

		for (size_t i = 0; i < snapshot->source_count; i++) {
			const Flightrec__Source *source = snapshot->sources[i];
			bool is_begin = matches(rule->event, source);

			if (!is_begin && !matches(rule->end, source))
				continue;
			ends.kind = is_begin ? FREC_SHAPE_BEGIN : FREC_SHAPE_END;
			ends.key = frec__plan_field(source, rule->key);
			if (rule->key && ends.key == SIZE_MAX)
				return frec__error(
					reterr, -EINVAL, "span %.128s: %s:%s has no field %.64s",
					rule->whole, source->system, source->name, rule->key);
			if (frec__plan_end(shapes, h, i, &ends))
				return frec__error(reterr, -ENOMEM, "out of memory");
		}
	}
	return 0;
}

// Adds a counter. Returns its index in shapes->counters, or UINT32_MAX if memory runs out.
static uint32_t add_counter(struct frec_shapes *shapes, const struct frec_shape_rule *rule,
			    const Flightrec__Source *source)
{
	struct frec_counter *counter;
	char name[512];

	if (!frec__grow(&shapes->counters, shapes->counter_count, sizeof(*counter)))
		return UINT32_MAX;
	counter = &shapes->counters[shapes->counter_count];
	snprintf(name, sizeof(name), "%s:%s.%s", source->system, source->name, rule->field);
	counter->name = strdup(rule->name ? rule->name : name);
	return counter->name ? (uint32_t)shapes->counter_count++ : UINT32_MAX;
}

// Applies a rule about a field to one source. Returns 0 or -ENOMEM.
static int plan_field(struct frec_shapes *shapes, const struct frec_shape_rule *rule, size_t host,
		      size_t index, size_t field, uint32_t *counter)
{
	const Flightrec__Source *source = shapes->hosts->hosts[host].snapshot->sources[index];
	struct frec_shapes_plan *plan = frec__plan_of(shapes, host, index);

	if (!plan)
		return -ENOMEM;
	switch (rule->kind) {
	case FREC_RULE_COUNTER:
		// If the rule has no name, each source that it matches gets a counter of its own.
		*counter = *counter == UINT32_MAX || !rule->name ? add_counter(shapes, rule, source)
								 : *counter;
		if (*counter == UINT32_MAX)
			return -ENOMEM;
		if (plan->counter_count < FREC_SHAPE_FIELDS_MAX) {
			plan->counters[plan->counter_count] = *counter;
			plan->counter_fields[plan->counter_count++] = field;
		}
		break;
	case FREC_RULE_FLOW:
		if (plan->flow_count < FREC_SHAPE_FIELDS_MAX) {
			plan->flow_groups[plan->flow_count] = rule->group;
			plan->flow_fields[plan->flow_count++] = field;
		}
		break;
	default:
		plan->message = field;
		plan->level = frec__plan_field(source, rule->level);
	}
	return 0;
}

static int plan_field_rule(struct frec_shapes *shapes, const struct frec_shape_rule *rule,
			   struct frec_error *reterr)
{
	static const char *const kinds[] = {[FREC_RULE_COUNTER] = "counter",
					    [FREC_RULE_FLOW] = "flow",
					    [FREC_RULE_LOG] = "log"};
	static const char *const fields[] = {[FREC_RULE_COUNTER] = "a number",
					     [FREC_RULE_FLOW] = "a field",
					     [FREC_RULE_LOG] = "a text"};
	uint32_t counter = UINT32_MAX;
	bool any = false;

	for (size_t h = 0; h < shapes->host_count; h++) {
		const struct frec_snapshot *snapshot = shapes->hosts->hosts[h].snapshot;

		for (size_t i = 0; i < snapshot->source_count; i++) {
			const Flightrec__Source *source = snapshot->sources[i];
			size_t field = frec__plan_field(source, rule->field);

			if (field == SIZE_MAX || !matches(rule->event, source) ||
			    (rule->kind == FREC_RULE_COUNTER && !is_number(source->field[field])) ||
			    (rule->kind == FREC_RULE_LOG &&
			     !frec__plan_is_text(source->field[field]) &&
			     // bytes are allowed because printable ones become text
			     source->field[field]->kind != FLIGHTREC__FIELD_KIND__FIELD_BYTES))
				continue;
			any = true;
			if (plan_field(shapes, rule, h, i, field, &counter))
				return frec__error(reterr, -ENOMEM, "out of memory");
		}
	}
	if (any)
		return 0;
	return frec__error(reterr, -EINVAL,
			   "%s %.128s: no event%s%.64s has %s %.64s: 'flightrec show' lists what a "
			   "file holds",
			   kinds[rule->kind], rule->whole, rule->event ? " " : "",
			   rule->event ? rule->event : "", fields[rule->kind], rule->field);
}

int frec__plan_by_rule(struct frec_shapes *shapes, const struct frec_shape_rule *rule,
		       struct frec_error *reterr)
{
	return rule->kind == FREC_RULE_SPAN ? plan_span_rule(shapes, rule, reterr)
					    : plan_field_rule(shapes, rule, reterr);
}
