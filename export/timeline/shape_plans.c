// SPDX-License-Identifier: MIT
// What the events of each source mean, found out once, before the first event: by rules here, by
// names in shape_names.c.
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/timeline/shape_plans.h"

static bool matches(const char *glob, const Flightrec__Source *source)
{
	char name[512];

	if (!glob)
		return true;
	snprintf(name, sizeof(name), "%s:%s", source->system, source->name);
	return !fnmatch(glob, name, 0);
}

size_t frec__plan_field(const Flightrec__Source *source, const char *name)
{
	for (size_t i = 0; name && i < source->n_field; i++) {
		if (!strcmp(source->field[i]->name, name))
			return i;
	}
	return SIZE_MAX;
}

bool frec__plan_is_text(const Flightrec__Field *field)
{
	return field->kind == FLIGHTREC__FIELD_KIND__FIELD_STRING ||
	       field->kind == FLIGHTREC__FIELD_KIND__FIELD_CHARS;
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

// The plan of a source, made if there is none. NULL without memory.
struct frec_shapes_plan *frec__plan_of(struct frec_shapes *shapes, size_t host, size_t source)
{
	struct frec_shapes_plan **plan = &shapes->plans[host][source];

	if (!*plan) {
		*plan = calloc(1, sizeof(**plan));
		if (*plan)
			**plan = (struct frec_shapes_plan){.key = SIZE_MAX,
							   .identity = SIZE_MAX,
							   .within = SIZE_MAX,
							   .message = SIZE_MAX,
							   .level = SIZE_MAX};
	}
	return *plan;
}

// The number of a kind of span, UINT32_MAX without memory.
uint32_t frec__plan_span(struct frec_shapes *shapes, const struct frec_shape_rule *rule,
			 const char *system, const char *name, size_t name_length)
{
	struct frec_span *span;

	for (size_t i = 0; i < shapes->span_count; i++) {
		span = &shapes->spans[i];
		if (span->rule == rule &&
		    (rule || (!strcmp(span->system, system) && strlen(span->name) == name_length &&
			      !memcmp(span->name, name, name_length))))
			return (uint32_t)i;
	}
	span = reallocarray(shapes->spans, shapes->span_count + 1, sizeof(*span));
	if (!span)
		return UINT32_MAX;
	shapes->spans = span;
	span += shapes->span_count;
	*span = (struct frec_span){
		.rule = rule, .system = strdup(system), .name = strndup(name, name_length)};
	if (!span->system || !span->name) {
		free(span->system);
		free(span->name);
		return UINT32_MAX;
	}
	return (uint32_t)shapes->span_count++;
}

// What the names of both ends begin with, without the underscores behind it.
static size_t common_stem(const char *a, const char *b)
{
	size_t length = 0;

	while (a[length] && a[length] == b[length])
		length++;
	while (length && a[length - 1] == '_')
		length--;
	return length;
}

// A field of both that tells which span of several it is, or NULL.
const char *frec__plan_identity(const Flightrec__Source *begin, const Flightrec__Source *end,
				const char *span, size_t length)
{
	static const char *const names[] = {"id", "key", "request", "order", "job", "task"};

	for (size_t i = 0; i < begin->n_field; i++) {
		const char *name = begin->field[i]->name;
		size_t size = strlen(name);
		bool is = (size == length && !memcmp(name, span, length)) ||
			  (size > 3 && !strcmp(name + size - 3, "_id"));

		for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++)
			is |= !strcmp(name, names[k]);
		if (is && frec__plan_field(end, name) != SIZE_MAX)
			return name;
	}
	return NULL;
}

int frec__plan_end(struct frec_shapes *shapes, size_t host, size_t source,
		   enum frec_shape_kind kind, uint32_t span, size_t key, const char *identity)
{
	struct frec_shapes_plan *plan = frec__plan_of(shapes, host, source);

	if (!plan || span == UINT32_MAX)
		return -ENOMEM;
	// The first rule that says something about an event is the one, and rules come before
	// names.
	if (plan->kind != FREC_SHAPE_INSTANT)
		return 0;
	plan->kind = kind;
	plan->span = span;
	plan->key = key;
	plan->identity =
		frec__plan_field(shapes->hosts->hosts[host].snapshot->sources[source], identity);
	return 0;
}

// The first source that the glob matches, in any host. NULL: none.
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
	size_t length, stem;
	uint32_t span;

	if (!begin || !end)
		return frec__error(
			reterr, -EINVAL,
			"span %.128s: no event %.64s: 'flightrec show' lists what a file holds",
			rule->whole, begin ? rule->end : rule->event);
	stem = common_stem(begin->name, end->name);
	length = name ? strlen(name) : stem ? stem : strlen(begin->name);
	identity = rule->key ? NULL
			     : frec__plan_identity(begin, end, name ? name : begin->name, length);
	span = frec__plan_span(shapes, rule, begin->system, name ? name : begin->name, length);
	for (size_t h = 0; h < shapes->host_count; h++) {
		const struct frec_snapshot *snapshot = shapes->hosts->hosts[h].snapshot;

		for (size_t i = 0; i < snapshot->source_count; i++) {
			const Flightrec__Source *source = snapshot->sources[i];
			bool is_begin = matches(rule->event, source);
			size_t key = frec__plan_field(source, rule->key);

			if (!is_begin && !matches(rule->end, source))
				continue;
			if (rule->key && key == SIZE_MAX)
				return frec__error(
					reterr, -EINVAL, "span %.128s: %s:%s has no field %.64s",
					rule->whole, source->system, source->name, rule->key);
			if (frec__plan_end(shapes, h, i,
					   is_begin ? FREC_SHAPE_BEGIN : FREC_SHAPE_END, span, key,
					   identity))
				return frec__error(reterr, -ENOMEM, "out of memory");
		}
	}
	return 0;
}

// The rule's counter, one for all sources that it matches.
static uint32_t add_counter(struct frec_shapes *shapes, const struct frec_shape_rule *rule,
			    const Flightrec__Source *source)
{
	struct frec_counter *counters =
		reallocarray(shapes->counters, shapes->counter_count + 1, sizeof(*counters));
	char name[512];

	if (!counters)
		return UINT32_MAX;
	shapes->counters = counters;
	snprintf(name, sizeof(name), "%s:%s.%s", source->system, source->name, rule->field);
	counters[shapes->counter_count].name = strdup(rule->name ? rule->name : name);
	return counters[shapes->counter_count].name ? (uint32_t)shapes->counter_count++
						    : UINT32_MAX;
}

// What a rule that names a field says of one source. Returns 0 or -ENOMEM.
static int plan_field(struct frec_shapes *shapes, const struct frec_shape_rule *rule, size_t host,
		      size_t index, size_t field, uint32_t *counter)
{
	const Flightrec__Source *source = shapes->hosts->hosts[host].snapshot->sources[index];
	struct frec_shapes_plan *plan = frec__plan_of(shapes, host, index);

	if (!plan)
		return -ENOMEM;
	switch (rule->kind) {
	case FREC_RULE_COUNTER:
		// A source's own name, where one rule matches several: they are different counters.
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
			     !frec__plan_is_text(source->field[field])))
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

// Events that can be ends of one span have one number. The stop of an activity can have any name.
static size_t group_of(const struct frec_shapes *shapes, const struct frec_shapes_plan *plan)
{
	return plan->activity ? shapes->span_count : plan->span;
}

// A span of which one end is filtered out would seem to begin before everything, or never to end.
static int drop_halves(struct frec_shapes *shapes, size_t host)
{
	const struct frec_host *of = &shapes->hosts->hosts[host];
	uint8_t *seen = calloc(shapes->span_count + 1, 1);

	if (!seen)
		return -ENOMEM;
	for (size_t i = 0; i < of->snapshot->source_count; i++) {
		const struct frec_shapes_plan *plan = shapes->plans[host][i];

		if (plan && plan->kind != FREC_SHAPE_INSTANT && of->filter.sources[i])
			seen[group_of(shapes, plan)] |= plan->kind == FREC_SHAPE_BEGIN ? 1 : 2;
	}
	for (size_t i = 0; i < of->snapshot->source_count; i++) {
		struct frec_shapes_plan *plan = shapes->plans[host][i];

		if (!plan || plan->kind == FREC_SHAPE_INSTANT || seen[group_of(shapes, plan)] == 3)
			continue;
		plan->kind = FREC_SHAPE_INSTANT;
		if (plan->counter_count || plan->flow_count || plan->message != SIZE_MAX)
			continue;
		free(plan);
		shapes->plans[host][i] = NULL;
	}
	free(seen);
	return 0;
}

int frec__shapes_make_plans(struct frec_shapes *shapes, const struct frec_shape_rules *rules,
			    struct frec_error *reterr)
{
	int result = 0;

	for (size_t i = 0; rules && i < rules->count && !result; i++) {
		if (rules->rules[i].kind == FREC_RULE_SPAN)
			result = plan_span_rule(shapes, &rules->rules[i], reterr);
		else
			result = plan_field_rule(shapes, &rules->rules[i], reterr);
	}
	for (size_t h = 0; h < shapes->host_count && !result; h++) {
		if (rules && rules->no_conventions)
			break;
		result = frec__plan_by_names(shapes, h);
		if (result)
			frec__error(reterr, result, "out of memory");
	}
	for (size_t h = 0; h < shapes->host_count && !result; h++) {
		result = drop_halves(shapes, h);
		if (result)
			frec__error(reterr, result, "out of memory");
	}
	return result;
}
