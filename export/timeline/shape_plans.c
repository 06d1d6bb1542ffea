// SPDX-License-Identifier: MIT
// Makes the plans of all sources, before the first event: by rules, then by names.
#include "export/timeline/shape_plans.h"

#include <errno.h>
#include <stdlib.h>

#include "export/timeline/shape_by_names.h"
#include "export/timeline/shape_by_rules.h"
#include "proto/cleanup.h"

// Returns a number that is the same for all events that can begin or end the same span. All
// activities share one number, because the names of an activity's start and stop can differ.
static size_t group_of(const struct frec_shapes *shapes, const struct frec_shapes_plan *plan)
{
	return plan->activity ? shapes->span_count : plan->span;
}

// Drops kinds of spans whose begin or end is filtered out: such spans would seem to begin before
// everything, or never to end. Returns 0 or -ENOMEM.
static int drop_halves(struct frec_shapes *shapes, size_t host)
{
	const struct frec_host *of = &shapes->hosts->hosts[host];
	FREC_FREE uint8_t *seen = calloc(shapes->span_count + 1, 1);

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
	return 0;
}

int frec__shapes_plan(struct frec_shapes *shapes, const struct frec_shape_rules *rules,
		      struct frec_error *reterr)
{
	int r = 0;

	for (size_t i = 0; rules && i < rules->count && !r; i++)
		r = frec__plan_by_rule(shapes, &rules->rules[i], reterr);
	for (size_t h = 0; h < shapes->host_count && !r; h++) {
		if (rules && rules->no_conventions)
			break;
		r = frec__plan_by_names(shapes, h);
		if (r)
			frec__error(reterr, r, "out of memory");
	}
	for (size_t h = 0; h < shapes->host_count && !r; h++) {
		r = drop_halves(shapes, h);
		if (r)
			frec__error(reterr, r, "out of memory");
	}
	return r;
}
