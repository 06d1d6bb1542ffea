/* SPDX-License-Identifier: MIT */
/*
 * Room that is set aside for the records of fatal signals. In the ordinary rings such records, each
 * with up to 60 KiB of stack, overwrite each other if many processes die at once: 64 of them fill a
 * ring of 4 MiB. So the kernel writes each record a second time, into the crash ring of the CPU,
 * which is small and holds nothing else. Whenever the loop wakes, and again and again while a file
 * is written, the crash rings are emptied into this process's memory, where a record stays until
 * the snapshot of the death takes it.
 *
 *	signal_deliver -> the CPU's crash ring --drain()--> kept, by process --take()--> snapshot
 *
 * A recorder of the whole machine writes stacks of crashes into the crash rings alone, because a
 * user whose processes crash in a loop would otherwise overwrite the history of everybody else.
 *
 * Bounds: a crash ring has a quarter of an ordinary ring's size, but at least FREC_CRASH_RING_MIN
 * and at most FREC_CRASH_RING_MAX, and its records have up to FREC_CRASH_RING_STACK of stack, so
 * that about 30 processes can die on one CPU before the recorder gets to run; pages of stacks that
 * crash.bpf.c adds take at most three quarters of a ring in a second. A recorder of the whole
 * machine has crash rings of four times that size. When a crash ring is full, the youngest records
 * are dropped rather than the oldest, because the oldest mostly show the cause. For the same
 * reason, a record is not kept if its user's share (share.h) of FREC_DEATHS_MAX processes or of
 * FREC_CRASH_BYTES_MAX bytes is used up. Memory for kept records is allocated only when something
 * dies. If there is none, or if the kernel refuses the crash rings, only the records in the
 * ordinary rings are left. Those are preferred anyway, as long as they exist, because their stacks
 * can be longer.
 */
#ifndef FREC_RECORDER_CRASH_RECORDS_H
#define FREC_RECORDER_CRASH_RECORDS_H

#include "recorder/deaths.h"
#include "recorder/snapshot/crash_finder.h"
#include "recorder/sources/source.h"

#define FREC_CRASH_RING_MIN (256u << 10)
#define FREC_CRASH_RING_MAX (1u << 20)
#define FREC_CRASH_RING_STACK (28u << 10)
/* Returns the size of a crash ring in bytes, if ordinary rings have `ring_size` bytes. */
size_t frec__crash_ring_size(uint64_t ring_size, bool whole_machine);

/* The most bytes of all kept records together. */
#define FREC_CRASH_BYTES_MAX (16u << 20)

/* The records of one process. `sample` is the signal with registers and stack; `details` is what
 * the BPF program wrote. */
struct frec_kept_crash {
	uint32_t pid;
	uint64_t time;	/* of the latest record: says which of the processes with this pid */
	uint32_t uid;	/* the user whose share this takes */
	uint64_t since; /* when a record was last kept, in nanoseconds of CLOCK_MONOTONIC */
	struct perf_event_header *sample, *details;
};

struct frec_crash_ring;

struct frec_crash_records {
	/* What the records look like. Only the members that frec__crash_records_init() sets are
	 * valid. */
	struct frec_source signal, details;
	/* to find out of which process and of which user a record is; NULL: its pid says which
	 * process, and all records are root's */
	const struct frec_process_table *processes;
	size_t ring_size; /* 0: there are no crash rings */
	size_t rings;
	struct frec_crash_ring *ring;
	uint64_t lost; /* records that the kernel dropped, or that there was no room to keep */

	size_t count;
	struct frec_kept_crash kept[FREC_DEATHS_MAX];
	/* the record that is being read; has room for the largest */
	_Alignas(8) uint8_t scratch[UINT16_MAX + 1];
};

/* Prepares for records like those of the sources `signal` and `details`, which may be NULL.
 * `stack` is NULL, or the choice of stacks if the ordinary rings get none. `ring_size` is the size
 * of an ordinary ring in bytes. Opens nothing. */
void frec__crash_records_init(struct frec_crash_records *records, const struct frec_source *signal,
			      const struct frec_source *details,
			      const struct frec_stack_choice *stack, uint64_t ring_size);
void frec__crash_records_deinit(struct frec_crash_records *records);

/* Opens the crash ring of a CPU, and closes an earlier one. Returns 0 or a negative errno. */
int frec__crash_records_open(struct frec_crash_records *records, int cpu,
			     struct frec_error *reterr);

/* Moves what the kernel wrote since the last call into this process's memory. Called after the
 * sideband was drained, so that it is known whose processes have crashed. */
void frec__crash_records_drain(struct frec_crash_records *records);

/* Keeps a record, in place of an older one of the same process. `details` says whether the BPF
 * program wrote it. */
void frec__crash_records_keep(struct frec_crash_records *records,
			      const struct perf_event_header *record, bool details);

/* Hands over the records of the process that died; there may be none. Free them with
 * frec__kept_crash_deinit(). */
struct frec_kept_crash frec__crash_records_take(struct frec_crash_records *records,
						const struct frec_reason *reason);
void frec__kept_crash_deinit(struct frec_kept_crash *kept);

/* Drops records that were kept a while ago for processes without a death in `deaths`. */
void frec__crash_records_sweep(struct frec_crash_records *records,
			       const struct frec_deaths *deaths);

#endif
