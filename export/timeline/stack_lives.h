/* SPDX-License-Identifier: MIT */
/* The lives of processes whose stacks are unwound. A life is one process from its start to its end:
 * pids are reused, so a pid can have several lives. For each life, this holds the mappings that the
 * process had at the time that was asked for last. */
#ifndef FREC_EXPORT_TIMELINE_STACK_LIVES_H
#define FREC_EXPORT_TIMELINE_STACK_LIVES_H

#include "export/read/processes.h"
#include "export/timeline/locations.h"
#include "unwind/epochs.h"

struct frec_stack_lives {
	const struct frec_processes *processes;
	struct frec_unwinder *unwinder; /* NULL: no stack can be unwound */
	struct frec_stack_life **lives;
	size_t count;
	struct frec_table indices; /* index in `lives` plus 1, by address of the Process message */
	struct frec_stack_life *last;
	struct frec_left_out *left_out;
	/* the last call of frec__stack_lives_find() returned NULL because of FREC_LIMIT_MAPPED */
	bool exhausted;
};

/* `processes`, `unwinder` and `left_out` must outlive the lives. */
void frec__stack_lives_init(struct frec_stack_lives *lives, const struct frec_processes *processes,
			    struct frec_unwinder *unwinder, struct frec_left_out *left_out);
void frec__stack_lives_deinit(struct frec_stack_lives *lives);

/* Returns the process of a thread at `time`, valid until the next call; or NULL if the process
 * table does not have it, if no stack can be unwound, if FREC_LIMIT_MAPPED is reached (then
 * `exhausted` is set), or if memory runs out. `pid` is UINT32_MAX if it is unknown. */
struct frec_located_process *frec__stack_lives_find(struct frec_stack_lives *lives, uint32_t pid,
						    uint32_t tid, uint64_t time);

#endif
