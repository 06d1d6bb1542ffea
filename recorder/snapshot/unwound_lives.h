/* SPDX-License-Identifier: MIT */
/*
 * The unwinder's views of processes, each made when a stack asks for it. The process table must
 * stay as it is as long as they live.
 */
#ifndef FREC_RECORDER_SNAPSHOT_UNWOUND_LIVES_H
#define FREC_RECORDER_SNAPSHOT_UNWOUND_LIVES_H

#include "recorder/processes/processes.h"
#include "unwind/unwind.h"

struct frec_unwound_lives;

/* -ENOTSUP on a machine whose registers are not known, -ENOMEM. */
int frec__unwound_lives_create(const struct frec_process_table *processes,
			       struct frec_unwound_lives **ret);
void frec__unwound_lives_destroy(struct frec_unwound_lives *lives);

/*
 * The process of that number, with what was mapped at `time`, nanoseconds of CLOCK_MONOTONIC. It is
 * valid until the next call. NULL: it is not known, or there is no memory.
 */
struct frec_unwind_process *frec__unwound_lives_find(struct frec_unwound_lives *lives, uint32_t pid,
						     uint64_t time);

#endif
