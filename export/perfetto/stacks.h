/* SPDX-License-Identifier: MIT */
/* Call stacks: interned data, and the samples that flame graphs are drawn from. */
#ifndef FREC_EXPORT_PERFETTO_STACKS_H
#define FREC_EXPORT_PERFETTO_STACKS_H

#include "export/perfetto/trace.h"

/* Sets *ret_iid to the stack's number in the trace, or to 0 if `stack` is NULL. Writes the parts of
 * the stack that are not in the trace yet. */
int frec__perfetto_stack(struct frec_perfetto *perfetto, const struct frec_call_stack *stack,
			 uint64_t *ret_iid, struct frec_error *reterr);

struct frec_perfetto_sample {
	uint64_t time;
	uint32_t cpu, pid, tid;
	const struct frec_call_stack *stack;
	uint64_t iid; /* of the stack */
};

/* Writes a sample. Call it after the event with this stack has been written. */
int frec__perfetto_write_sample(struct frec_perfetto *perfetto,
				const struct frec_perfetto_sample *sample,
				struct frec_error *reterr);

/* Writes the stacks of the threads of the process that died, except that of the thread that
 * crashed: each stack as an instant of its thread, and as a sample. */
int frec__perfetto_write_threads(struct frec_perfetto *perfetto,
				 const struct frec_timeline_file *file, struct frec_error *reterr);

void frec__perfetto_stacks_deinit(struct frec_perfetto_stacks *stacks);

#endif
