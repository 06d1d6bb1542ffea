/* SPDX-License-Identifier: MIT */
/*
 * What is done about stacks while a file is written: that of the thread that crashed is unwound;
 * where no bytes of stacks may be kept, those of all records are, and the frames take the place of
 * the bytes.
 *
 * It comes after the copy of the rings and never delays it. A child does it, and one file gets so
 * many seconds for it: what then is left goes without frames.
 *
 * A file for one user alone (frec_snapshot.only_uid) has of the kernel's part of call chains what
 * /proc/kallsyms would tell that user: all of it, with names, or nothing.
 */
#ifndef FREC_RECORDER_SNAPSHOT_STACKS_H
#define FREC_RECORDER_SNAPSHOT_STACKS_H

#include "recorder/snapshot/crash_state.h"
#include "recorder/snapshot/kernel_names.h"
#include "recorder/snapshot/parts.h"
#include "recorder/snapshot/unwind_worker.h"

struct frec_snapshot_stacks {
	const struct frec_snapshot_job *snapshot;
	struct frec_unwind_worker worker;
	/* the one that is being written; NULL: no memory, no frames */
	struct frec_unwound *unwound;
	bool hide_kernel; /* the file is for somebody who may not see addresses of the kernel */
	struct frec_kernel_names kernel; /* those in the records that were copied so far */
};

/* No record is larger: its size is a 16-bit number. */
#define FREC_RECORD_SIZE_MAX 65536

/* Before anything else changes the process table. What cannot be had is done without. */
void frec__snapshot_stacks_init(struct frec_snapshot_stacks *stacks,
				const struct frec_snapshot_job *snapshot);
void frec__snapshot_stacks_deinit(struct frec_snapshot_stacks *stacks);

/*
 * What the threads of the process that died were doing: those that were found in its core dump,
 * which has more of a stack than the kernel copies, and the one that crashed, where it is not among
 * them and its registers are known.
 */
void frec__snapshot_stacks_write_threads(struct frec_snapshot_stacks *stacks,
					 struct frec_parts *parts,
					 const struct frec_crash_state *state);

/*
 * Copies a record into `to`, which has FREC_RECORD_SIZE_MAX bytes, as the file is to have it: see
 * frec_snapshot.drop_stack_bytes. Returns its size.
 */
size_t frec__snapshot_stacks_copy(struct frec_snapshot_stacks *stacks,
				  const struct frec_source *source,
				  const struct perf_event_header *record, uint8_t *to);

/* The names of the kernel's code in the records that were copied. */
void frec__snapshot_stacks_write_names(struct frec_snapshot_stacks *stacks,
				       struct frec_parts *parts);

/* Whether the source's records are to have frames instead of the bytes of stacks. */
bool frec__snapshot_unwinds(const struct frec_snapshot_job *snapshot,
			    const struct frec_source *source);

#endif
