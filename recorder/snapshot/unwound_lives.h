/* SPDX-License-Identifier: MIT */
/* The unwinder's views of processes, each created when the first stack of its process is unwound.
 * The process table must not change as long as this exists. */
#ifndef FREC_RECORDER_SNAPSHOT_UNWOUND_LIVES_H
#define FREC_RECORDER_SNAPSHOT_UNWOUND_LIVES_H

#include "recorder/processes/processes.h"
#include "unwind/unwind.h"

struct frec_unwound_lives;

/* Returns 0, -ENOMEM, or -ENOTSUP on an unknown machine. */
int frec__unwound_lives_create(const struct frec_process_table *processes,
			       struct frec_unwound_lives **ret);
void frec__unwound_lives_destroy(struct frec_unwound_lives *lives);

/*
 * Returns the view of the process that had `pid` at `time`, in nanoseconds of CLOCK_MONOTONIC, with
 * the mappings that it had then. Valid until the next call. Returns NULL if the process is not
 * known or memory runs out.
 */
struct frec_unwind_process *frec__unwound_lives_find(struct frec_unwound_lives *lives, uint32_t pid,
						     uint64_t time);

const struct frec_unwinder *frec__unwound_lives_unwinder(const struct frec_unwound_lives *lives);

#endif
