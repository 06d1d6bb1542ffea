/* SPDX-License-Identifier: MIT */
/*
 * The call stacks of a snapshot, with names. A stack may be recorded as registers and stack bytes,
 * as the kernel's call chain, or as frames that the recorder unwound. Here it is a list of
 * locations.
 *
 * Equal locations and equal call stacks of a file exist only once. Their ids count from 0 in the
 * order in which they are met, so a writer can refer to a stack that it has written: a stack is new
 * if its id is not less than the number of stacks written. Stacks, and all that they point to, live
 * as long as the frec_stacks. Memory grows with the number of different call stacks.
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
	/* If the kernel followed frame pointers, nobody knows why the stack ends, and `end` is
	 * FREC_UNWIND_COMPLETE, too. */
	enum frec_unwind_reason end;
};

struct frec_stacks;

/* `options` say where to look for files; NULL means defaults. options->same_boot is ignored,
 * because this function finds out by itself whether the recorded boot is the present one. Snapshot
 * and processes must outlive the stacks. Returns 0 or -ENOMEM. */
int frec__stacks_create(struct frec_stacks **ret, const struct frec_snapshot *snapshot,
			const struct frec_processes *processes,
			const struct frec_unwinder_options *options);
void frec__stacks_destroy(struct frec_stacks *stacks);

/* Makes these stacks take ids from `numbers`, which other frec_stacks can share, and which must
 * outlive them. To be called before any stack is asked for. */
void frec__stacks_share(struct frec_stacks *stacks, struct frec_stack_numbers *numbers);

/* Returns the stack of a record, or NULL if the record has none or memory runs out. */
const struct frec_call_stack *frec__stacks_of_record(struct frec_stacks *stacks,
						     const struct frec_record *record);

/* Returns the stack of the thread that died, or NULL if the stack is unknown. If the recorder
 * unwound this stack, the recorded frames are used; otherwise the stack is unwound now. */
const struct frec_call_stack *frec__stacks_of_crash(struct frec_stacks *stacks);

/* Returns the stack of a thread of the process that died, or NULL if the stack is unknown. */
const struct frec_call_stack *frec__stacks_of_thread(struct frec_stacks *stacks,
						     const Flightrec__ThreadStack *thread);

/* Returns one address for each location of the stack that was asked for last: where that location
 * is in the recorded process or in the kernel. */
const uint64_t *frec__stacks_pcs(const struct frec_stacks *stacks);

/* Returns why the stack that was asked for last ends where it does, with the address. A struct
 * frec_call_stack has no address, because stacks that are truncated at different addresses can
 * otherwise be equal. */
const struct frec_unwind_end *frec__stacks_end(const struct frec_stacks *stacks);

#endif
