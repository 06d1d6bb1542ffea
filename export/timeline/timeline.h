/* SPDX-License-Identifier: MIT */
/*
 * The events of one or more snapshots as one stream in order of time, which an export writes. This
 * room goes from records to what they mean:
 *
 *     snapshot -> merge.h -> filter.h -> events.h   records of all rings in order, then events
 *     events.h of each file -> timeline.h           one stream, without copies (duplicates.h)
 *     timeline.h -> shapes.h                        spans, counters, flows, logs
 *     events.h -> stacks.h                          call stacks, unwound only if a writer asks;
 *                                                   stack_lives.h finds mappings by time, and
 *                                                   locations.h places in code (code.h), named
 *     hosts.h                                       which files come from one boot of a machine
 *
 *     file -> frec_events (merged over its rings, filtered, decoded) \
 *     file -> frec_events -------------------------------------------> timeline -> writers
 *
 * Data flows to the right. Nothing here knows about export formats. The thread, source and stack of
 * an event are those of its own file. The timeline adds the event's host, its time on the common
 * clock, and the index of its source in the host's tables.
 *
 * Invariants: events come in order of time, except that those of one ring keep the ring's order. An
 * event is valid until the next one is asked for. Memory does not grow with the number of events.
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
	/* for each of its sources: index in the host's snapshot */
	const size_t *sources;
	const struct frec_event *head; /* its next event, or NULL at the end */
	/* shared by the files of one recording; NULL if this is its only file */
	struct frec_duplicates *duplicates;
	unsigned int number; /* of the file among those of its recording */
	/* the value of frec_timeline.turn when the file last had its turn */
	uint64_t turn;
};

struct frec_timeline {
	struct frec_snapshot *const *snapshots;
	struct frec_timeline_file *files;
	size_t file_count;
	struct frec_hosts hosts;
	struct frec_shapes shapes;
	struct frec_stack_numbers stack_numbers; /* shared by the stacks of all files */
	/* each recording uses the one with the index of its first file */
	struct frec_duplicates *duplicates;
	uint64_t reference; /* the time that is zero in relative times, from the first file */
	uint64_t copies;    /* records left out because another file has them */
	struct frec_timeline_file *last; /* the file of `event` */
	struct frec_event event;	 /* the event that was returned last */
	uint64_t turn;
	int failed; /* negative errno: the stream ended because of this error */
};

/* Each of these may be NULL. What they point to must outlive the timeline. */
struct frec_timeline_options {
	const struct frec_filter_options *filter;
	const struct frec_shape_rules *rules;
	const struct frec_unwinder_options *symbols; /* as for frec__events_init() */
};

/* The snapshots must outlive the timeline. Returns 0 or a negative errno. */
int frec__timeline_init(struct frec_timeline *timeline, struct frec_snapshot *const *snapshots,
			size_t count, const struct frec_timeline_options *options,
			struct frec_error *reterr);

/* Returns the next event, valid until the next call. Returns NULL at the end, and if memory runs
 * out; the latter sets `failed`. */
const struct frec_event *frec__timeline_next(struct frec_timeline *timeline);

/* Returns what frec__events_problem() returns for the first file that has a problem. The code is 0
 * if no file has one. */
const struct frec_error *frec__timeline_problem(const struct frec_timeline *timeline);

/* Sets *ret_done to how many bytes of records have been read, and *ret_total to how many there
 * are. */
void frec__timeline_progress(const struct frec_timeline *timeline, uint64_t *ret_done,
			     uint64_t *ret_total);

void frec__timeline_deinit(struct frec_timeline *timeline);

#endif
