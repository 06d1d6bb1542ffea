/* SPDX-License-Identifier: MIT */
/*
 * The stacks of all threads of a dying process, as a run of parts of a .frec file, each with its
 * checksum: what `flightrec core` hands to a recorder, which puts them into the snapshot of the
 * death.
 */
#ifndef FREC_RECORDER_CORE_STACKS_H
#define FREC_RECORDER_CORE_STACKS_H

#include "recorder/core/notes.h"
#include "recorder/core/process.h"

#define FREC_CORE_THREADS_DEFAULT 4096
#define FREC_CORE_SECONDS_DEFAULT 5
/* Bytes of one thread's stack that are looked at. */
#define FREC_CORE_STACK_SIZE (1u << 20)
/* Bytes of all threads' stacks as they are handed over. */
#define FREC_CORE_STACKS_SIZE_MAX (16u << 20)

/*
 * Unwinds the threads and writes them to the file `fd`, those that came first in the core dump
 * first, until `deadline` (nanoseconds of CLOCK_MONOTONIC) or until it is full. `ret_missing`
 * counts those that there was no time or room for.
 */
int frec__core_stacks_write(const struct frec_core_process *process,
			    const struct frec_core_notes *notes, uint64_t deadline, int fd,
			    size_t *ret_missing, struct frec_error *reterr);

#endif
