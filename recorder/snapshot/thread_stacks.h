/* SPDX-License-Identifier: MIT */
/* The unwound stacks of the threads of one process, with the programs on them that nobody will find
 * later, to be written to a snapshot. */
#ifndef FREC_RECORDER_SNAPSHOT_THREAD_STACKS_H
#define FREC_RECORDER_SNAPSHOT_THREAD_STACKS_H

#include "flightrec.pb-c.h"
#include "proto/error.h"

struct frec_thread_stacks {
	size_t count;
	Flightrec__ThreadStack **stack;
	uint32_t missing; /* threads for which there was no time or room */
	/* what is kept of programs on these stacks: see lost_programs.h */
	size_t program_count;
	Flightrec__Program **program;
};

/* Parses `size` bytes, which must be parts of a .frec file, all of them stacks of threads of `pid`
 * or programs. Returns 0, -ENOMEM, or -EINVAL if the bytes are anything else or inconsistent. */
int frec__thread_stacks_parse(struct frec_thread_stacks *stacks, const uint8_t *data, size_t size,
			      uint32_t pid, struct frec_error *reterr);
void frec__thread_stacks_deinit(struct frec_thread_stacks *stacks);

/* Returns the stack of thread `tid`, or NULL. */
const Flightrec__ThreadStack *frec__thread_stacks_find(const struct frec_thread_stacks *stacks,
						       uint32_t tid);

#endif
