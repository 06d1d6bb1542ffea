/* SPDX-License-Identifier: MIT */
/*
 * Handles stacks while a file is written. The stack of the crashed thread is always unwound. If
 * stack bytes must not be kept, the stacks of all records are unwound, and frames replace the
 * bytes.
 *
 * The rings are copied before anything is unwound, so unwinding never delays the copy. Stacks are
 * unwound by a child process, which has a time limit for each file: stacks that it does not reach
 * in time get no frames.
 *
 * A file for one user (frec_snapshot_job.only_uid) has the kernel's part of call chains, with
 * names, only if /proc/kallsyms would show that user the addresses.
 */
#ifndef FREC_RECORDER_SNAPSHOT_STACKS_H
#define FREC_RECORDER_SNAPSHOT_STACKS_H

#include "recorder/snapshot/crash_state.h"
#include "recorder/snapshot/kernel_names.h"
#include "recorder/snapshot/parts.h"
#include "recorder/snapshot/unwind_worker.h"

/* Of at most this many processes, besides the one that died, programs are kept. */
#define FREC_STACKS_PROCESSES_MAX 64

struct frec_snapshot_stacks {
	const struct frec_snapshot_job *snapshot;
	struct frec_unwind_worker worker;
	/* the frames of the record that is being written; NULL if memory ran out: no frames */
	struct frec_unwound *unwound;
	bool hide_kernel;		 /* the file must have no kernel addresses */
	struct frec_kernel_names kernel; /* addresses from the records copied so far */
	/* processes with stack bytes in the records copied so far, that readers will unwind */
	uint32_t unwound_later[FREC_STACKS_PROCESSES_MAX];
	size_t unwound_later_count;
};

/* No record is larger, because the size of a record is a 16-bit number. */
#define FREC_RECORD_SIZE_MAX 65536

/* Must be called while the process table still has the state of the capture, because the child
 * process works with a copy of that. Cannot fail: if memory runs out or no child process can be
 * started, there are fewer frames. */
void frec__snapshot_stacks_init(struct frec_snapshot_stacks *stacks,
				const struct frec_snapshot_job *snapshot);
void frec__snapshot_stacks_deinit(struct frec_snapshot_stacks *stacks);

/*
 * Writes the stacks of the process that died: those from its core dump, which are longer than the
 * kernel's copies, and the stack of the crashed thread if it is not among them and its registers
 * are known.
 */
void frec__snapshot_stacks_write_threads(struct frec_snapshot_stacks *stacks,
					 struct frec_parts *parts,
					 const struct frec_crash_state *state);

/*
 * Copies a record into `to`, which has FREC_RECORD_SIZE_MAX bytes, in the form that the file gets:
 * without stack bytes if they are dropped, and without kernel addresses if the user who gets the
 * file must not see them. `source` may be NULL. Returns the size of the copy.
 */
size_t frec__snapshot_stacks_copy(struct frec_snapshot_stacks *stacks,
				  const struct frec_source *source,
				  const struct perf_event_header *record, uint8_t *to);

/* Writes the kernel symbols for the call chains of the records that were copied. */
void frec__snapshot_stacks_write_names(struct frec_snapshot_stacks *stacks,
				       struct frec_parts *parts);

/* Writes what is kept of the programs that nobody will find at their paths: those that the process
 * that died had mapped, and those of processes with stacks in the records that were copied. */
void frec__snapshot_stacks_write_programs(struct frec_snapshot_stacks *stacks,
					  struct frec_parts *parts);

/* Returns whether the source's records get frames in place of stack bytes. */
bool frec__snapshot_unwinds(const struct frec_snapshot_job *snapshot,
			    const struct frec_source *source);

#endif
