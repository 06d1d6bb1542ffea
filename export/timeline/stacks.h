/* SPDX-License-Identifier: MIT */
/*
 * The call stacks of a snapshot, with names. Whatever a stack was recorded as (registers and stack
 * bytes, the kernel's call chain, frames that the recorder unwound), here it is a list of
 * locations.
 *
 * Locations and call stacks of a file exist once each and are numbered from 0 in the order in which
 * they are met, so that a writer can refer to what it has written before: what is not less than the
 * count it has seen is new. They, and all that they point to, live as long as the frec_stacks.
 * Memory grows with the number of different call stacks.
 *
 * Not thread-safe.
 */
#ifndef FREC_EXPORT_TIMELINE_STACKS_H
#define FREC_EXPORT_TIMELINE_STACKS_H

#include "export/read/processes.h"
#include "export/read/records.h"
#include "export/timeline/code.h"

struct frec_call_stack {
	uint32_t id;
	size_t count;
	const struct frec_location *const
		*locations; /* innermost first; the kernel's before the process's */
	/* FREC_UNWIND_COMPLETE also where the kernel followed frame pointers and nobody knows. */
	enum frec_unwind_reason end;
};

struct frec_stacks;

/* `options` say where files are looked for, NULL: defaults; same_boot is found out here. Snapshot
 * and processes must outlive it. Returns 0 or -ENOMEM. */
int frec__stacks_create(struct frec_stacks **ret, const struct frec_snapshot *snapshot,
			const struct frec_processes *processes,
			const struct frec_unwinder_options *options);
void frec__stacks_destroy(struct frec_stacks *stacks);

/* Numbers from here on, before anything is asked for: `numbers` is shared with others and outlives
 * them. */
void frec__stacks_share(struct frec_stacks *stacks, struct frec_stack_numbers *numbers);

/* The stack of a record, NULL: it has none, or there is no memory. */
const struct frec_call_stack *frec__stacks_of_record(struct frec_stacks *stacks,
						     const struct frec_record *record);

/* The stack of the thread that died, NULL: unknown. What the recorder unwound counts more than what
 * can be unwound now. */
const struct frec_call_stack *frec__stacks_of_crash(struct frec_stacks *stacks);

/* The stack of a thread of the process that died. */
const struct frec_call_stack *frec__stacks_of_thread(struct frec_stacks *stacks,
						     const Flightrec__ThreadStack *thread);

/* Where the locations of the stack that was asked for last are in its own process, one for each. */
const uint64_t *frec__stacks_pcs(const struct frec_stacks *stacks);

/* Why the stack that was asked for last ends where it does, with addresses, which a call stack does
 * not have: one that was cut would have another one each time. */
const struct frec_unwind_end *frec__stacks_end(const struct frec_stacks *stacks);

#endif
