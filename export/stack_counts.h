/* SPDX-License-Identifier: MIT */
/* Counts how often each call stack occurs, for the formats of flame graphs. */
#ifndef FREC_EXPORT_STACK_COUNTS_H
#define FREC_EXPORT_STACK_COUNTS_H

#include "proto/table.h"
#include "export/timeline/timeline.h"

struct frec_stack_count {
	const Flightrec__Process *process; /* NULL: unknown */
	/* NULL: not an event, but a thread of a process that died */
	const Flightrec__Source *source;
	const struct frec_call_stack *stack;
	uint64_t count;
};

/* Initialise with zeroes. */
struct frec_stack_counts {
	struct frec_stack_count *items; /* in order of first occurrence */
	size_t count;
	struct frec_table indices; /* index in `items` plus 1, by hash */
};

/* Counts an event if it has a stack. Returns 0 or -ENOMEM. */
int frec__stack_counts_add(struct frec_stack_counts *counts, const struct frec_event *event,
			   struct frec_error *reterr);
/* Counts the stacks of the threads of the processes that died. The thread that crashed counts only
 * if nothing was counted before it: otherwise the event of its fatal signal is taken to have been
 * counted with the same stack. Returns 0 or -ENOMEM. */
int frec__stack_counts_add_threads(struct frec_stack_counts *counts,
				   const struct frec_timeline *timeline, struct frec_error *reterr);
void frec__stack_counts_deinit(struct frec_stack_counts *counts);

#endif
