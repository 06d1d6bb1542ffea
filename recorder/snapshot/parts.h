/* SPDX-License-Identifier: MIT */
/* The parts of a .frec file that describe one thing each: host, clocks, trigger, crash, source,
 * process. */
#ifndef FREC_RECORDER_SNAPSHOT_PARTS_H
#define FREC_RECORDER_SNAPSHOT_PARTS_H

#include "proto/new_file.h"
#include "proto/part.h"
#include "recorder/snapshot/crash_finder.h"
#include "recorder/snapshot/snapshot.h"

struct frec_crash_state;

/* A file that is being written. The first failure is kept in `error`, and every later call does
 * nothing. */
struct frec_parts {
	struct frec_new_file file;
	struct frec_error error;
	uint64_t count, records;
};

/* Appends a part. Returns parts->error.code. */
int frec__parts_write(struct frec_parts *parts, enum frec_part part,
		      const ProtobufCMessage *message);

void frec__parts_write_header(struct frec_parts *parts, const struct frec_snapshot_job *snapshot);
/* `records`: how many records the file will have. */
void frec__parts_write_summary(struct frec_parts *parts, const struct frec_snapshot_job *snapshot,
			       const struct frec_crash_state *state, uint64_t records);
void frec__parts_write_clocks(struct frec_parts *parts, const struct frec_snapshot_job *snapshot);
void frec__parts_write_trigger(struct frec_parts *parts, const struct frec_snapshot_job *snapshot);
void frec__parts_write_crash(struct frec_parts *parts, const struct frec_snapshot_job *snapshot,
			     const struct frec_crash_state *state);
/* `unwound`: the source's records have frames instead of stack bytes. `claimed_by` is
 * Source.claimed_by_uid, or -1. */
void frec__parts_write_source(struct frec_parts *parts, const struct frec_source *source,
			      uint32_t id, bool unwound, int64_t claimed_by);
/* Writes the processes that lived at or after `oldest`, and the mappings of those that `finder` saw
 * in records. */
void frec__parts_write_processes(struct frec_parts *parts, const struct frec_snapshot_job *snapshot,
				 const struct frec_crash_finder *finder, uint64_t oldest);

#endif
