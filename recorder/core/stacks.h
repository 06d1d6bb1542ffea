/* SPDX-License-Identifier: MIT */
/*
 * The stacks of all threads of a dying process, as parts of a .frec file, each with its checksum.
 * `flightrec core` hands them to a recorder, which writes them into the snapshot of the death.
 */
#ifndef FREC_RECORDER_CORE_STACKS_H
#define FREC_RECORDER_CORE_STACKS_H

#include "recorder/core/notes.h"
#include "recorder/core/process.h"

#define FREC_CORE_THREADS_DEFAULT 4096
#define FREC_CORE_SECONDS_DEFAULT 5
/* At most this many bytes are handed over: the stacks of all threads, and what is kept of programs
 * that nobody will find later. */
#define FREC_CORE_STACKS_SIZE_MAX (16u << 20)

/*
 * Unwinds the threads, in the order of the core dump, and writes their stacks to the file `fd`, and
 * after them what is kept of lost programs.
 * Stops at `deadline` (nanoseconds of CLOCK_MONOTONIC) or after FREC_CORE_STACKS_SIZE_MAX bytes.
 * `ret_missing` is the number of threads for which there was no time or room. Returns 0, or a
 * negative errno if no stack was written.
 */
int frec__core_stacks_write(const struct frec_core_process *process,
			    const struct frec_core_notes *notes, uint64_t deadline, int fd,
			    size_t *ret_missing, struct frec_error *reterr);

#endif
