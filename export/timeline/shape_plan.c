// SPDX-License-Identifier: MIT
// Makes and fills plans.
#include "export/timeline/shape_plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/grow.h"

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

uint32_t frec__plan_span(struct frec_shapes *shapes, const struct frec_shape_rule *rule,
			 const char *system, const char *name, size_t name_length)
{
	uint64_t key = frec__table_mix(0, (uintptr_t)rule);
	struct frec_span *span;
	uint32_t *number;

	for (const char *p = system; !rule && *p; p++)
		key = frec__table_mix(key, (uint8_t)*p);
	for (size_t i = 0; !rule && i < name_length; i++)
		key = frec__table_mix(key, (uint8_t)name[i]);
	for (;; key++) {
		number = frec__table_put(&shapes->span_numbers, key, NULL);
		if (!number)
			return UINT32_MAX;
		if (!*number)
			break;
		span = &shapes->spans[*number - 1];
		if (span->rule == rule &&
		    (rule || (!strcmp(span->system, system) && strlen(span->name) == name_length &&
			      !memcmp(span->name, name, name_length))))
			return *number - 1;
	}
	if (!frec__grow(&shapes->spans, shapes->span_count, sizeof(*span)))
		return UINT32_MAX;
	span = &shapes->spans[shapes->span_count];
	*span = (struct frec_span){
		.rule = rule, .system = strdup(system), .name = strndup(name, name_length)};
	if (!span->system || !span->name) {
		free(span->system);
		free(span->name);
		return UINT32_MAX;
	}
	*number = (uint32_t)++shapes->span_count;
	return *number - 1;
}

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
		   const struct frec_plan_end *end)
{
	struct frec_shapes_plan *plan = frec__plan_of(shapes, host, source);

	if (!plan || end->span == UINT32_MAX)
		return -ENOMEM;
	// The first rule for an event wins, and rules come before names.
	if (plan->kind != FREC_SHAPE_INSTANT)
		return 0;
	plan->kind = end->kind;
	plan->span = end->span;
	plan->key = end->key;
	plan->identity = frec__plan_field(shapes->hosts->hosts[host].snapshot->sources[source],
					  end->identity);
	return 0;
}
