/* SPDX-License-Identifier: MIT */
/* The parts of a .frec file that describe single things: host, trigger, crash, sources,
 * processes. */
#ifndef FREC_RECORDER_SNAPSHOT_PARTS_H
#define FREC_RECORDER_SNAPSHOT_PARTS_H

#include "proto/new_file.h"
#include "proto/part.h"
#include "recorder/sources/crash_record.h"
#include "recorder/snapshot/snapshot.h"

struct frec_crash_state;

/* A file in the making. The first failure stays in `error`; everything after it does nothing. */
struct frec_parts {
	struct frec_new_file file;
	struct frec_error error;
	uint64_t count, records;
};

int frec__parts_put(struct frec_parts *parts, enum frec_part part, const ProtobufCMessage *message);

/* Collects, while the records pass by, who appears in them and what the kernel kept of the
 * crash. */
struct frec_crash_finder {
	const struct frec_reason *reason;
	/* the record of the fatal signal, with registers and stack */
	const struct frec_sample *sample;
	const struct frec_source *source; /* which wrote it */
	/* a struct frec_crash_record of the BPF program, where it runs; not aligned */
	const uint8_t *details;
	uint32_t details_size;
	uint8_t *mentioned; /* pids; NULL when out of memory: then nobody's mappings are written */
};

/* Returns 0 or -ENOMEM, and then there is nothing to free. */
int frec__crash_finder_init(struct frec_crash_finder *finder,
			    const struct frec_snapshot_job *snapshot);
void frec__crash_finder_mention(struct frec_crash_finder *finder, uint32_t pid);
bool frec__crash_finder_mentioned(const struct frec_crash_finder *finder, uint32_t pid);
void frec__crash_finder_record(struct frec_crash_finder *finder, const struct frec_source *source,
			       const struct frec_sample *sample);
void frec__crash_finder_deinit(struct frec_crash_finder *finder);

void frec__put_header(struct frec_parts *parts, const struct frec_snapshot_job *snapshot);
void frec__put_clocks(struct frec_parts *parts, const struct frec_snapshot_job *snapshot);
void frec__put_trigger(struct frec_parts *parts, const struct frec_snapshot_job *snapshot);
void frec__put_crash(struct frec_parts *parts, const struct frec_snapshot_job *snapshot,
		     const struct frec_crash_state *state);
/* `unwound`: its records have frames instead of the bytes of stacks. */
void frec__put_source(struct frec_parts *parts, const struct frec_source *source, uint32_t id,
		      bool unwound);
/* Processes that lived at or after `oldest`; mappings only of those that are mentioned. */
void frec__put_processes(struct frec_parts *parts, const struct frec_snapshot_job *snapshot,
			 const struct frec_crash_finder *finder, uint64_t oldest);

#endif
