/* SPDX-License-Identifier: MIT */
/* Counts how often each call stack occurs, for the formats of flame graphs. */
#ifndef FREC_EXPORT_STACK_COUNTS_H
#define FREC_EXPORT_STACK_COUNTS_H

#include "proto/table.h"
#include "export/timeline/timeline.h"

struct frec_stack_count {
	const Flightrec__Process *process; /* NULL: unknown */
	const Flightrec__Source *source;   /* NULL: a thread of the process that died */
	const struct frec_call_stack *stack;
	uint64_t count;
};

/* Initialise with zeroes. */
struct frec_stack_counts {
	struct frec_stack_count *items; /* in order of first occurrence */
	size_t count;
	struct frec_table indices; /* by hash, plus 1 */
};

/* Counts an event, unless it has no stack. Returns 0 or -ENOMEM. */
int frec__stack_counts_add(struct frec_stack_counts *counts, const struct frec_event *event,
			   struct frec_error *reterr);
/* Counts the threads of the processes that died. The crashing thread is left out if an event has
 * its stack already. Returns 0 or -ENOMEM. */
int frec__stack_counts_add_threads(struct frec_stack_counts *counts,
				   const struct frec_timeline *timeline, struct frec_error *reterr);
void frec__stack_counts_deinit(struct frec_stack_counts *counts);

#endif
