// SPDX-License-Identifier: MIT
// Recognises the records of a crash, and keeps the set of pids that appear in records.
#include "recorder/snapshot/crash_finder.h"

#include <stddef.h>
#include <stdlib.h>

#include "recorder/snapshot/sample_parts.h"

#define PID_LIMIT (4u << 20) // the kernel's PID_MAX_LIMIT on 64-bit machines

void frec__crash_finder_init(struct frec_crash_finder *finder,
			     const struct frec_snapshot_job *snapshot)
{
	*finder = (struct frec_crash_finder){.reason = snapshot->reason,
					     .processes = snapshot->processes,
					     .mentioned = calloc(PID_LIMIT / 8, 1)};
	if (snapshot->reason->pid)
		frec__crash_finder_mention(finder, snapshot->reason->pid);
}

void frec__crash_finder_deinit(struct frec_crash_finder *finder)
{
	free(finder->mentioned);
}

void frec__crash_finder_mention(struct frec_crash_finder *finder, uint32_t pid)
{
	if (finder->mentioned && pid < PID_LIMIT)
		finder->mentioned[pid / 8] |= (uint8_t)(1 << pid % 8);
}

bool frec__crash_finder_mentioned(const struct frec_crash_finder *finder, uint32_t pid)
{
	return finder->mentioned && pid < PID_LIMIT && finder->mentioned[pid / 8] & 1 << pid % 8;
}

void frec__crash_finder_record(struct frec_crash_finder *finder, const struct frec_source *source,
			       const struct perf_event_header *record)
{
	const struct frec_reason *reason = finder->reason;
	const struct frec_sample *sample = (const void *)record;
	struct frec_perf_sample parts;

	if (!reason->pid || sample->pid != reason->pid ||
	    (reason->tid && sample->tid != reason->tid))
		return;
	// The rings can have the crash of another process that had this pid.
	if (!frec__process_table_is_of(finder->processes, sample->pid, sample->time, reason->life))
		return;
	// Records come newest first, so the first one here belongs to the last signal. But the one
	// that was set aside may be the only one with a stack.
	if (frec__source_is_crash(source) &&
	    (!finder->sample || (!finder->source->stack.bytes && source->stack.bytes))) {
		finder->sample = sample;
		finder->source = source;
	}
	if (source->listed.kind == FLIGHTREC__SOURCE_KIND__SOURCE_CRASH &&
	    !frec__sample_read(source, record, &parts) && parts.raw_size > finder->details_size &&
	    parts.raw_size >= offsetof(struct frec_crash_record, memory)) {
		finder->details = parts.raw;
		finder->details_size = parts.raw_size;
	}
}
