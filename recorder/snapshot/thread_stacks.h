/* SPDX-License-Identifier: MIT */
/* The unwound stacks of the threads of one process, on their way into a snapshot. */
#ifndef FREC_RECORDER_SNAPSHOT_THREAD_STACKS_H
#define FREC_RECORDER_SNAPSHOT_THREAD_STACKS_H

#include "flightrec.pb-c.h"
#include "proto/error.h"

struct frec_thread_stacks {
	size_t count;
	Flightrec__ThreadStack **stack;
	uint32_t missing; /* threads that there was no time or room for */
};

/*
 * Takes them out of `size` bytes of parts of a .frec file, all of which have to be stacks of
 * threads of `pid`. -EINVAL: they are not, or contradict themselves; -ENOMEM.
 */
int frec__thread_stacks_parse(struct frec_thread_stacks *stacks, const uint8_t *data, size_t size,
			      uint32_t pid, struct frec_error *reterr);
void frec__thread_stacks_deinit(struct frec_thread_stacks *stacks);

/* That of one thread, or NULL. */
const Flightrec__ThreadStack *frec__thread_stacks_find(const struct frec_thread_stacks *stacks,
						       uint32_t tid);

#endif
