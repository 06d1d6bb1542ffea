// SPDX-License-Identifier: MIT
// Makes events from merged records.
#include "export/timeline/events.h"

#include <errno.h>
#include <stdlib.h>

#include "export/read/eventheader.h"

static int plan_sources(struct frec_events *events)
{
	const struct frec_snapshot *snapshot = events->snapshot;

	events->plans = calloc(snapshot->source_count + 1, sizeof(*events->plans));
	if (!events->plans)
		return -ENOMEM;
	for (size_t i = 0; i < snapshot->source_count; i++) {
		if (frec__decode_plan_init(&events->plans[i], snapshot->sources[i]))
			return -ENOMEM;
	}
	return 0;
}

int frec__events_init(struct frec_events *events, struct frec_snapshot *snapshot,
		      const struct frec_filter_options *options,
		      const struct frec_unwinder_options *symbols, struct frec_error *reterr)
{
	int r;

	*events = (struct frec_events){.snapshot = snapshot};
	r = frec__filter_init(&events->filter, snapshot, options, reterr);
	if (r)
		return r;
	r = frec__merge_init(&events->merge, snapshot);
	if (!r)
		r = frec__processes_init(&events->processes, snapshot);
	if (!r)
		r = frec__stacks_create(&events->stacks, snapshot, &events->processes, symbols);
	if (!r)
		r = plan_sources(events);
	if (r) {
		frec__error(reterr, r, "%s: out of memory", snapshot->name);
		frec__events_deinit(events);
		return r;
	}
	events->merge.from = events->filter.from;
	events->merge.to = events->filter.to;
	return 0;
}

static void decode(struct frec_events *events, bool values)
{
	const struct frec_record *record = events->event.record;

	struct frec_decode_plan *plan = &events->plans[record->source_index];

	if (values &&
	    !frec__eventheader_decode(events->snapshot, record, &events->converted, plan->values)) {
		frec__decode_plan_run(plan, record->payload, record->payload_size);
		if (__builtin_expect(plan->left_out, 0)) {
			events->snapshot->left_out->values += plan->left_out;
			plan->left_out = 0;
		}
	}
	events->event.source = record->source;
	events->event.source_index = record->source_index;
	events->event.time = record->time;
	events->event.values = plan->values;
	events->event.events = events;
	events->stack_known = false;
}

// Subtracts the work of decoding a record from what is left of FREC_LIMIT_FIELDS. If that is not
// enough, counts the event as left out and returns false.
static bool may_decode(struct frec_events *events, const struct frec_record *record)
{
	struct frec_left_out *left_out = events->snapshot->left_out;
	uint32_t work = events->plans[record->source_index].work;

	if (work > left_out->fields_left) {
		left_out->events++;
		return false;
	}
	left_out->fields_left -= work;
	return true;
}

const struct frec_event *frec__events_next(struct frec_events *events)
{
	struct frec_event *event = &events->event;

	do {
		event->record = frec__merge_next(&events->merge);
		if (!event->record)
			return NULL;
		event->who = frec__processes_find(&events->processes, event->record->tid,
						  event->record->time);
	} while (!frec__filter_wants(&events->filter, event->record, event->who) ||
		 (!events->undecoded && !may_decode(events, event->record)));
	decode(events, !events->undecoded);
	return event;
}

const struct frec_event *frec__events_of(struct frec_events *events, const uint8_t *data,
					 size_t size)
{
	struct frec_record *record = &events->kept;

	// The record was decoded before, so this cannot fail now.
	(void)frec__record_next(events->snapshot, data, size, record);
	frec__eventheader_translate(events->snapshot, record);
	events->event.record = record;
	events->event.who = frec__processes_find(&events->processes, record->tid, record->time);
	decode(events, true);
	return &events->event;
}

const struct frec_call_stack *frec__event_stack(const struct frec_event *event)
{
	struct frec_events *events = event->events;

	if (!events->stack_known)
		events->stack = frec__stacks_of_record(events->stacks, event->record);
	events->stack_known = true;
	return events->stack;
}

const struct frec_error *frec__events_problem(const struct frec_events *events)
{
	return events->merge.problem.code ? &events->merge.problem : &events->snapshot->damage;
}

void frec__events_deinit(struct frec_events *events)
{
	frec__stacks_destroy(events->stacks);
	frec__merge_deinit(&events->merge);
	frec__processes_deinit(&events->processes);
	frec__filter_deinit(&events->filter);
	frec__text_free(&events->converted);
	for (size_t i = 0; events->plans && i < events->snapshot->source_count; i++)
		frec__decode_plan_deinit(&events->plans[i]);
	free(events->plans);
	events->plans = NULL;
	events->stacks = NULL;
}
