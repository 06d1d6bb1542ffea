/* SPDX-License-Identifier: MIT */
/* The events of one snapshot as every output sees them: in order of time over all CPUs, filtered,
 * each with its decoded fields and its thread. */
#ifndef FREC_EXPORT_TIMELINE_EVENTS_H
#define FREC_EXPORT_TIMELINE_EVENTS_H

#include "export/read/decode_plan.h"
#include "export/read/processes.h"
#include "export/read/text.h"
#include "export/timeline/filter.h"
#include "export/timeline/merge.h"
#include "export/timeline/stacks.h"

struct frec_host;
struct frec_shape;

/* One event, valid until the next one is asked for. */
struct frec_event {
	const struct frec_record *record;
	const Flightrec__Source *source; /* of the record */
	/* one for each source->field; if frec_events.undecoded is set, those of another event */
	const struct frec_value *values;
	/* the thread, or NULL if the process table does not have it */
	const struct frec_process_entry *who;
	/* The members below are for timelines of several snapshots: timeline.c changes and
	 * completes them. */
	uint64_t time;			/* record->time, on the clock of the timeline */
	size_t source_index;		/* index of the source in the host's snapshot */
	const struct frec_host *host;	/* NULL outside a timeline */
	struct frec_events *events;	/* the events of the file that the event came from */
	const struct frec_shape *shape; /* what the event means; NULL: only that it happened */
};

struct frec_events {
	struct frec_snapshot *snapshot;
	struct frec_processes processes;
	struct frec_filter filter;
	struct frec_merge merge;
	struct frec_decode_plan *plans; /* one for each source of the snapshot */
	struct frec_text converted;	/* converted values point into it */
	struct frec_stacks *stacks;
	const struct frec_call_stack *stack; /* of the event, if `stack_known` */
	bool stack_known;
	/* Set it if most events need no values: frec__events_next() then returns events without
	 * them, and frec__events_of() decodes the values of those that need them. */
	bool undecoded;
	struct frec_event event;
	struct frec_record kept; /* the record of the event, if frec__events_of() made it */
};

/* `options` chooses events, and `symbols` says where to look for program files; either may be NULL.
 * The snapshot must outlive the events. Returns 0 or a negative errno. */
int frec__events_init(struct frec_events *events, struct frec_snapshot *snapshot,
		      const struct frec_filter_options *options,
		      const struct frec_unwinder_options *symbols, struct frec_error *reterr);

/* Returns the next event, or NULL at the end. */
const struct frec_event *frec__events_next(struct frec_events *events);

/* Returns the event of a record whose bytes the caller copied from an earlier event. */
const struct frec_event *frec__events_of(struct frec_events *events, const uint8_t *data,
					 size_t size);

/* Returns the call stack that was recorded with the event, or NULL. The first call for an event
 * unwinds the stack. */
const struct frec_call_stack *frec__event_stack(const struct frec_event *event);

/* Returns the first problem with reading the file: which part of it could not be read, and why. The
 * code is 0 if there was no problem so far. */
const struct frec_error *frec__events_problem(const struct frec_events *events);

/* Frees everything. `events` may be all zeroes. */
void frec__events_deinit(struct frec_events *events);

#endif
