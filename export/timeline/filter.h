/* SPDX-License-Identifier: MIT */
/* Which events of a snapshot are wanted. */
#ifndef FREC_EXPORT_TIMELINE_FILTER_H
#define FREC_EXPORT_TIMELINE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export/read/processes.h"
#include "export/read/records.h"

/* As people give them; zeroes: everything. What is pointed to outlives the filter. */
struct frec_filter_options {
	const char *const *events; /* globs over SYSTEM:NAME, fnmatch(3); any of them */
	size_t event_count;
	const uint32_t *pids; /* any of them */
	size_t pid_count;
	const char *from, *to; /* see frec__filter_time; NULL: no bound */
};

struct frec_filter {
	const struct frec_filter_options *options;
	bool *sources;	   /* by index in snapshot->sources: wanted */
	uint64_t from, to; /* CLOCK_MONOTONIC, both inclusive */
};

/* `options` may be NULL. Returns 0, -EINVAL (a time that is none) or -ENOMEM. */
int frec__filter_init(struct frec_filter *filter, const struct frec_snapshot *snapshot,
		      const struct frec_filter_options *options, struct frec_error *reterr);
void frec__filter_deinit(struct frec_filter *filter);

/* Returns 0, or -EINVAL where one of the globs matches no source of any snapshot. */
int frec__filter_check(struct frec_snapshot *const *snapshots, size_t count,
		       const struct frec_filter_options *options, struct frec_error *reterr);

/* `who` may be NULL. */
bool frec__filter_wants(const struct frec_filter *filter, const struct frec_record *record,
			const struct frec_process_entry *who);

/*
 * A time of CLOCK_MONOTONIC from text: seconds from frec__snapshot_reference ("-2.5", "+0.1"), or
 * a date of ISO 8601, "2026-05-01T12:30:00.25Z", with T or a space between, up to nine decimals,
 * and Z, +HH:MM, or nothing for this machine's time zone behind it. Returns false when it is
 * neither.
 */
bool frec__filter_time(const struct frec_snapshot *snapshot, const char *text, uint64_t *ret);

#endif
