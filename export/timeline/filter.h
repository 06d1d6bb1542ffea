/* SPDX-License-Identifier: MIT */
/* Chooses events of a snapshot. */
#ifndef FREC_EXPORT_TIMELINE_FILTER_H
#define FREC_EXPORT_TIMELINE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export/read/processes.h"
#include "export/read/records.h"

/* What to choose, as users give it. Zeroes choose everything. The pointers must stay valid for as
 * long as the filter is used. */
struct frec_filter_options {
	/* globs over SYSTEM:NAME, as in fnmatch(3): an event must match one */
	const char *const *events;
	size_t event_count;
	const uint32_t *pids; /* an event must be of one of these processes */
	size_t pid_count;
	const char *from, *to; /* see frec__filter_time; NULL: no bound */
};

struct frec_filter {
	const struct frec_filter_options *options;
	bool *sources;	   /* for each source of the snapshot: whether it is wanted */
	uint64_t from, to; /* CLOCK_MONOTONIC, both inclusive */
};

/* `options` may be NULL. Returns 0, -EINVAL if options->from or options->to is not a time, or
 * -ENOMEM. */
int frec__filter_init(struct frec_filter *filter, const struct frec_snapshot *snapshot,
		      const struct frec_filter_options *options, struct frec_error *reterr);
void frec__filter_deinit(struct frec_filter *filter);

/* Returns 0, or -EINVAL if one of the globs matches no source of any snapshot. */
int frec__filter_check(struct frec_snapshot *const *snapshots, size_t count,
		       const struct frec_filter_options *options, struct frec_error *reterr);

/* Returns whether the filter chooses this record. `who` is its thread, or NULL. */
bool frec__filter_wants(const struct frec_filter *filter, const struct frec_record *record,
			const struct frec_process_entry *who);

/*
 * Parses a time and converts it to CLOCK_MONOTONIC. A time is a number of seconds from
 * frec__snapshot_reference() ("-2.5", "+0.1"), or a date of ISO 8601 ("2026-05-01T12:30:00.25Z"). A
 * date has T or a space before the time of day, up to nine decimals, and then Z, +HH:MM, -HH:MM, or
 * nothing for this machine's time zone. Returns false if `text` is neither.
 */
bool frec__filter_time(const struct frec_snapshot *snapshot, const char *text, uint64_t *ret);

#endif
