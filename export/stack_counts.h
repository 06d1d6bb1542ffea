/* SPDX-License-Identifier: MIT */
/* How often each call stack was met: what formats for flame graphs hold. */
#ifndef FREC_EXPORT_STACK_COUNTS_H
#define FREC_EXPORT_STACK_COUNTS_H

#include "proto/table.h"
#include "export/timeline/timeline.h"

struct frec_stack_count {
	const Flightrec__Process *process; /* NULL: unknown */
	const Flightrec__Source *source;   /* NULL: of the threads of the process that died */
	const struct frec_call_stack *stack;
	uint64_t count;
};

/* Start with zeroes. */
struct frec_stack_counts {
	struct frec_stack_count *items; /* in the order in which they were met first */
	size_t count, room;
	struct frec_table indices; /* plus 1, by hash */
};

/* Both return 0 or -ENOMEM; an event without a stack is passed over. */
int frec__stack_counts_add(struct frec_stack_counts *counts, const struct frec_event *event);
/* The threads of the processes that died, in each file the one that died among them unless an event
 * has its stack already. */
int frec__stack_counts_add_threads(struct frec_stack_counts *counts,
				   const struct frec_timeline *timeline);
void frec__stack_counts_deinit(struct frec_stack_counts *counts);

#endif
