/* SPDX-License-Identifier: MIT */
/* The stacks of all threads that `flightrec core` sends while a process dies. They are kept until
 * the snapshot of that death takes them. Only trusted clients may send any. */
#ifndef FREC_RECORDER_KEPT_STACKS_H
#define FREC_RECORDER_KEPT_STACKS_H

#include <stdint.h>

#include "proto/error.h"
#include "recorder/processes/processes.h"
#include "recorder/snapshot/thread_stacks.h"

/* The most processes whose stacks are kept at the same time. */
#define FREC_KEPT_STACKS_MAX 64

struct frec_kept_stacks {
	struct frec_kept {
		uint64_t life;	/* frec_process.life of the process; 0: unused */
		uint64_t since; /* when the stacks came, in nanoseconds of CLOCK_MONOTONIC */
		struct frec_thread_stacks stacks;
	} kept[FREC_KEPT_STACKS_MAX];
};

/*
 * Reads the stacks of a process from `fd`, a sealed memory file with parts of a .frec file. The
 * stacks of `missing` threads are not in the file. The new stacks replace older ones of the same
 * process, or the oldest of all if there is no room. Returns 0 or a negative errno, -EINVAL if `fd`
 * is something else.
 */
int frec__kept_stacks_read(struct frec_kept_stacks *kept, const struct frec_process *process,
			   int fd, uint32_t missing, struct frec_error *reterr);

/* Hands over the stacks that were received for the process with that life; there may be none. The
 * caller frees them with frec__thread_stacks_deinit(). */
struct frec_thread_stacks frec__kept_stacks_take(struct frec_kept_stacks *kept, uint64_t life);

void frec__kept_stacks_deinit(struct frec_kept_stacks *kept);

#endif
