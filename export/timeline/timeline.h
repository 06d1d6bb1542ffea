/* SPDX-License-Identifier: MIT */
/*
 * The events of one or more snapshots as one stream in order of time: what an export writes.
 *
 *     file -> frec_events (merged over its rings, decoded, filtered) \
 *     file -> frec_events ------------------------------------------- > timeline -> writers
 *                                                copies left out ---/
 *
 * Every event keeps the tables of its own file (its thread, its source, later its stack); the
 * timeline tells its host, its time on the one clock, and which of its host's sources it is of.
 */
#ifndef FREC_EXPORT_TIMELINE_TIMELINE_H
#define FREC_EXPORT_TIMELINE_TIMELINE_H

#include "export/timeline/duplicates.h"
#include "export/timeline/events.h"
#include "export/timeline/hosts.h"
#include "export/timeline/shapes.h"

struct frec_timeline_file {
	struct frec_events events;
	const struct frec_host *host;
	const size_t *sources;		    /* as frec_hosts.sources */
	const struct frec_event *head;	    /* its next event, NULL at its end */
	struct frec_duplicates *duplicates; /* of its recording, NULL where it is the only file */
	unsigned int number;		    /* in its recording */
	uint64_t turn;			    /* when it was last taken from */
};

struct frec_timeline {
	struct frec_snapshot *const *snapshots;
	struct frec_timeline_file *files;
	size_t file_count;
	struct frec_hosts hosts;
	struct frec_shapes shapes;
	struct frec_stack_numbers stack_numbers; /* of the stacks of all files */
	struct frec_duplicates *duplicates;	 /* one for each recording */
	uint64_t reference; /* what relative times are told from: that of the first file */
	uint64_t copies;    /* records left out that another file has */
	struct frec_timeline_file *last; /* whose event was handed out */
	struct frec_event event;	 /* handed out */
	uint64_t turn;
	int failed; /* negative errno: the stream ended because of it */
};

/* All may be NULL, and must outlive the timeline. */
struct frec_timeline_options {
	const struct frec_filter_options *filter;
	const struct frec_shape_rules *rules;
	const struct frec_unwinder_options *symbols; /* as for frec__events_init() */
};

/* The snapshots must outlive the timeline. Returns 0 or a negative errno. */
int frec__timeline_init(struct frec_timeline *timeline, struct frec_snapshot *const *snapshots,
			size_t count, const struct frec_timeline_options *options,
			struct frec_error *reterr);

/* The next event, valid until the next call, or NULL at the end (or without memory: `failed`). */
const struct frec_event *frec__timeline_next(struct frec_timeline *timeline);

/* What was missing so far in any of the files, as frec__events_problem. */
const struct frec_error *frec__timeline_problem(const struct frec_timeline *timeline);

/* Bytes of records read, and in all. */
void frec__timeline_progress(const struct frec_timeline *timeline, uint64_t *ret_done,
			     uint64_t *ret_total);

void frec__timeline_deinit(struct frec_timeline *timeline);

#endif
