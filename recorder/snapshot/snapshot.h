/* SPDX-License-Identifier: MIT */
/*
 * The snapshot room turns the contents of all rings into a .frec file, which flightrec.proto
 * describes.
 *
 * Data flows through it in this order:
 *
 * capture.c copies the rings and the counts of all sources into reserved memory, within
 * milliseconds. history.c of the recorder and snapshot.c then walk that copy by means of records.c,
 * which finds whole records and their sources. snapshot.c walks twice: once to learn what the
 * records mention (crash_finder.c, crash_state.c), and once to write them through chunk.c, which
 * compresses. parts.c writes everything that is not a record. folder.c names the file, and quota.c
 * decides which files have to go for it.
 *
 * emitters.c finds out which processes emitted what is in a capture.
 *
 * Stacks take a separate path. stacks.c decides what a record keeps of its stack, and sends what is
 * to be unwound to a child process (unwind_worker.c, recorder/worker/), because unwinding reads
 * untrusted program files. unwound.c and unwound_lives.c connect the process table to the unwinder.
 * thread_stacks.c reads stacks that came from a core dump, and kernel_names.c finds kernel symbols
 * for call chains.
 *
 * Invariants: a capture is complete up to a known time, and the loss arithmetic proves it
 * (capture.h). A file appears whole or not at all. Records in a capture may be hostile, because
 * services write into shared rings, so no size in them is trusted. A file for one user contains
 * nothing about another user's processes.
 */
#ifndef FREC_RECORDER_SNAPSHOT_SNAPSHOT_H
#define FREC_RECORDER_SNAPSHOT_SNAPSHOT_H

#include "flightrec.pb-c.h"
#include "proto/clocks.h"
#include "recorder/processes/processes.h"
#include "recorder/snapshot/capture.h"
#include "recorder/snapshot/pairs.h"
#include "recorder/snapshot/thread_stacks.h"

/* Why the snapshot is taken. */
struct frec_reason {
	Flightrec__Trigger__Kind kind;
	char name[128];
	uint64_t time;			 /* nanoseconds of CLOCK_MONOTONIC */
	uint32_t by_pid, by_uid;	 /* who requested the snapshot */
	const struct frec_pairs *fields; /* what came with the request; NULL: nothing */
	/* The process and thread that died, and the sender of the signal. `pid` is 0 if nobody
	 * died. */
	uint32_t pid, tid, sender;
	uint64_t life; /* frec_process.life of that process; 0: unknown */
	int signal, code, exit_status;
	bool code_unknown;
	/* How many earlier requests or deaths got no snapshot of their own but share this one, and
	 * when the first of them happened: see cooldown.h. */
	uint64_t coalesced, coalesced_since;
};

/* Records of the fatal signal that were set aside, in case the rings do not hold them any more.
 * NULL: no record was set aside. */
struct frec_crash_copy {
	const struct frec_source *sample_source, *details_source;
	const struct perf_event_header *sample, *details;
};

struct frec_snapshot_job {
	const struct frec_ring *rings;
	size_t ring_count;
	const struct frec_source *sources;
	size_t source_count;
	struct frec_capture *capture;
	struct frec_process_table *processes;
	const struct frec_clocks *start; /* read when the recording began */
	uint64_t recording_since;
	const char *const *selection;  /* NULL-terminated */
	const struct frec_pairs *tags; /* the recorder's; NULL: none */
	uint64_t sideband_lost;
	const struct frec_reason *reason;
	/* stacks of the process that died, from its core dump; may be NULL */
	const struct frec_thread_stacks *stacks;
	struct frec_crash_copy crash;
	bool drop_stack_bytes; /* write unwound frames in place of stack bytes */
	int64_t only_uid;      /* write only this user's processes and their records; -1: all */
	/* when to give up unwinding stacks, in nanoseconds of CLOCK_MONOTONIC; 0: never. May be set
	 * while the file is written. */
	const uint64_t *deadline;
	/* If this becomes true while the file is written, it is given up with -ECANCELED. */
	const bool *cancelled;
	/* Called every few milliseconds while a file is written, so that the caller can do other
	 * work. May be NULL. */
	void (*on_progress)(void *context);
	void *context;
};

/* Returns the process that a reason is about, even if its pid is that of another process by now, or
 * NULL. */
const struct frec_process *frec__reason_process(const struct frec_process_table *processes,
						const struct frec_reason *reason);

/* Returns the process that died, even if its pid is that of another process by now, or NULL. */
const struct frec_process *frec__snapshot_victim(const struct frec_snapshot_job *snapshot);

/* Calls `visit` at least once for each process that emitted a user event that is in the capture,
 * with the time of the event. Returns 0 or -ENOMEM. */
int frec__snapshot_emitters(const struct frec_snapshot_job *snapshot,
			    void (*visit)(void *context, uint32_t pid, uint64_t time),
			    void *context);

/* Writes the file, whole or not at all, and gives it to the user `owner` unless that is -1. Returns
 * 0 or a negative errno, -ECANCELED without a message if snapshot->cancelled became true. */
int frec__snapshot_write(const struct frec_snapshot_job *snapshot, const char *path, int64_t owner,
			 struct frec_error *reterr);

#endif
