/* SPDX-License-Identifier: MIT */
/*
 * The processes whose stacks are unwound for a file, with the mappings that the table had when the file was begun: the
 * table goes on changing while the file is written.
 */
#ifndef FREC_RECORDER_UNWOUND_LIVES_H
#define FREC_RECORDER_UNWOUND_LIVES_H

#include "recorder/processes.h"
#include "unwind/unwind.h"

struct frec_unwound_lives;

/* Copies the mappings of all lives of the pids that `wanted` says yes to. -ENOMEM. The unwinder has to live as long. */
int frec__unwound_lives_create(const struct frec_processes *processes,
			       struct frec_unwinder *unwinder,
			       bool (*wanted)(const void *context, uint32_t pid),
			       const void *context, struct frec_unwound_lives **ret);
void frec__unwound_lives_destroy(struct frec_unwound_lives *lives);

/*
 * The process of that number, with what was mapped at `time`, nanoseconds of CLOCK_MONOTONIC. It is valid until the next
 * call. NULL: it is not known, or there is no memory.
 */
struct frec_unwind_process *frec__unwound_lives_find(struct frec_unwound_lives *lives, uint32_t pid,
						     uint64_t time);

#endif
