/* SPDX-License-Identifier: MIT */
/* From a capture to a .frec file: see flightrec.proto for what stands in it. */
#ifndef FREC_RECORDER_SNAPSHOT_SNAPSHOT_H
#define FREC_RECORDER_SNAPSHOT_SNAPSHOT_H

#include "flightrec.pb-c.h"
#include "proto/clocks.h"
#include "recorder/snapshot/capture.h"
#include "recorder/processes/processes.h"
#include "recorder/snapshot/thread_stacks.h"

/* Why the snapshot is taken. */
struct frec_reason {
	Flightrec__Trigger__Kind kind;
	char name[128];
	uint64_t time;		 /* nanoseconds of CLOCK_MONOTONIC */
	uint32_t by_pid, by_uid; /* of a request */
	/* Of a death; pid is 0 where there was none. */
	uint32_t pid, tid, sender;
	int signal, code, exit_status;
	bool code_unknown;
};

struct frec_snapshot_job {
	const struct frec_ring *rings;
	size_t ring_count;
	const struct frec_source *sources;
	size_t source_count;
	struct frec_capture *capture;
	struct frec_process_table *processes;
	const struct frec_clocks *start; /* when the recording began */
	uint64_t recording_since;
	const char *const *selection; /* NULL-terminated */
	uint64_t sideband_lost;
	const struct frec_reason *reason;
	/* of the process that died, from its core dump; NULL */
	const struct frec_thread_stacks *stacks;
	bool drop_stack_bytes; /* stacks are unwound, and nothing else of them is kept */
	int64_t only_uid;      /* keep only this user's processes' records; -1: all */
	/* Called now and then while a file is written, so that the caller keeps up with other
	 * work. */
	void (*on_progress)(void *context);
	void *context;
};

/* Whether the capture holds a user event of that process. */
bool frec__snapshot_mentions(const struct frec_snapshot_job *snapshot, uint32_t pid);

/* Writes the file, whole or not at all. Its owner becomes `owner` unless that is -1. */
int frec__snapshot_write(const struct frec_snapshot_job *snapshot, const char *path, int64_t owner,
			 struct frec_error *reterr);

#endif
