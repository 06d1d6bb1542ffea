/* SPDX-License-Identifier: MIT */
/* Collects, during the first walk over the records, which processes appear in them and what the
 * kernel recorded about the crash. */
#ifndef FREC_RECORDER_SNAPSHOT_CRASH_FINDER_H
#define FREC_RECORDER_SNAPSHOT_CRASH_FINDER_H

#include <stdbool.h>
#include <stdint.h>

#include "recorder/snapshot/snapshot.h"
#include "recorder/sources/crash_record.h"

struct frec_crash_finder {
	const struct frec_reason *reason;
	const struct frec_process_table *processes;
	/* the record of the fatal signal, with registers and stack, and the source that wrote it */
	const struct frec_sample *sample;
	const struct frec_source *source;
	/* a struct frec_crash_record, not aligned; NULL if the BPF program did not write one */
	const uint8_t *details;
	uint32_t details_size;
	/* a bit for each pid; NULL if memory ran out, and then no mappings are written */
	uint8_t *mentioned;
};

void frec__crash_finder_init(struct frec_crash_finder *finder,
			     const struct frec_snapshot_job *snapshot);
void frec__crash_finder_deinit(struct frec_crash_finder *finder);

/* The first remembers that a record of `pid` was seen, the second returns whether such a record was
 * seen. */
void frec__crash_finder_mention(struct frec_crash_finder *finder, uint32_t pid);
bool frec__crash_finder_mentioned(const struct frec_crash_finder *finder, uint32_t pid);

/* Remembers the record if it is the newest one that describes the crash. To be called with the
 * newest record first. */
void frec__crash_finder_record(struct frec_crash_finder *finder, const struct frec_source *source,
			       const struct perf_event_header *record);

#endif
