/* SPDX-License-Identifier: MIT */
/*
 * What events mean beside that they happened: some begin or end a span, have a counter's value, are
 * a line of a log, or belong together with others. It is decided here, once, for all formats, from
 * rules (shape_rules.h) and from names:
 *
 *     X_start, X_begin, X_enter and X_done, X_end, X_stop, X_exit   of one provider, also with two
 *     underscores, as PostgreSQL has them; the kernel's syscalls:sys_enter_X and sys_exit_X, where
 *     raw_syscalls is not there as well: the span X of the thread that emits them
 *     events of EventHeader (eventheader.h) whose opcode is that of a start or a stop: a span whose
 *     key is the id of the activity,
 *     whatever the two are called, or, without an id, of the thread. Other events tell which
 *     activity they are in
 *     a text field "message" or "msg", the only text beside "level", "severity" or "priority": a
 *     log
 *
 * A span without a key is of its thread, and those of a thread lie within each other: an end closes
 * the youngest open span of its kind, and what began after that and has not ended is *abandoned*,
 * it ends there too. A span with a key is known by the key's value, whatever threads and processes
 * of a host its ends are of, and lies on a *lane*, where spans do not overlap.
 *
 * A thread that does several things at a time begins spans of one kind that overlap. They are told
 * apart where both events have an *identity*: a field of one name that is "id", "key", "request",
 * "order", "job", "task", the span's own name, or ends in "_id". An end closes the youngest span
 * with its value; a span that begins while one with another value is open lies on a lane, as does
 * one whose end has a value that nothing open has.
 *
 * Where one kind of end is filtered out, the other is no end.
 *
 * What the file does not hold is told: a span whose begin is not there (it was overwritten, or
 * before the recording) is *cut* and reaches from the first event on; one that has not ended when
 * the events do stays open.
 *
 * Memory grows with what is open at one time, not with the file; there are bounds, and an event
 * beyond them begins no span.
 */
#ifndef FREC_EXPORT_TIMELINE_SHAPES_H
#define FREC_EXPORT_TIMELINE_SHAPES_H

#include "export/timeline/events.h"
#include "export/timeline/hosts.h"
#include "proto/table.h"
#include "export/timeline/shape_rules.h"

enum frec_shape_kind { FREC_SHAPE_INSTANT, FREC_SHAPE_BEGIN, FREC_SHAPE_END };

/* A kind of span. */
struct frec_span {
	const struct frec_shape_rule *rule; /* NULL: by its name */
	char *system, *name;
};

struct frec_lane {
	uint32_t span;
	uint32_t pid;	/* of the process that began the first span on it */
	uint64_t kind;	/* key of the lanes that are of one span and process */
	uint64_t begin; /* of the span that is open on it */
	uint32_t next;	/* free one of that kind; 0: none */
};

/* The most of each that an event has. */
#define FREC_SHAPE_FIELDS_MAX 8

/* Of an event; valid as long as it. */
struct frec_shape {
	enum frec_shape_kind kind;
	uint32_t span; /* of BEGIN and END: index in spans */
	uint32_t lane; /* 0: the thread itself, else the lane at this index */
	/* lane of the open span that the event says it is in, or of which it begins a part; 0:
	 * it does not */
	uint32_t within;
	uint64_t begin; /* of END: when the span began, in the time of the timeline */
	/* END: its begin is not there; it goes into the past, to a time at which nothing of its
	 * thread or lane is yet. */
	bool cut;
	size_t abandoned; /* spans of the thread that end here first, youngest first */
	size_t counter_count;
	struct {
		uint32_t number; /* of the counter: index in counters */
		const struct frec_value *value;
	} counters[FREC_SHAPE_FIELDS_MAX];
	size_t flow_count;
	uint64_t flows[FREC_SHAPE_FIELDS_MAX]; /* equal for events that belong together; never 0 */
	const struct frec_value *message;      /* of a log, else NULL */
	int level;			       /* as syslog(3) has them: 0 to 7 */
};

/* A counter of each process. */
struct frec_counter {
	char *name;
};

struct frec_shapes_plan;
struct frec_shapes_thread;

struct frec_shapes {
	struct frec_span *spans;
	size_t span_count;
	struct frec_counter *counters;
	size_t counter_count;
	struct frec_shapes_plan ***plans; /* by host and source: NULL for what is an instant only */
	size_t host_count;
	const struct frec_hosts *hosts;

	struct frec_lane *lanes; /* from 1 on */
	size_t lane_count;
	struct frec_table free_lanes; /* of a kind and process: the first */
	struct frec_table open;	      /* spans with keys: lane */
	struct frec_table threads;    /* index in thread_list */
	struct frec_shapes_thread *thread_list;
	size_t thread_count;
	size_t open_count; /* of threads and lanes together */
	uint64_t first;	   /* time of the first event */
	uint64_t cuts;	   /* how many spans were cut: each begins before the last */
	bool started, failed;
	struct frec_shape shape;
};

/* Prepares shapes of the events of these hosts, which must outlive them. Until frec__shapes_plan()
 * (shape_plans.h) has planned their sources, every event is an instant. Returns 0 or -ENOMEM. */
int frec__shapes_init(struct frec_shapes *shapes, const struct frec_hosts *hosts,
		      struct frec_error *reterr);

/* The shape of an event, NULL: an instant and nothing else. Events come in the order of the
 * timeline, each once. Sets `failed` without memory. */
const struct frec_shape *frec__shapes_of(struct frec_shapes *shapes,
					 const struct frec_event *event);

void frec__shapes_deinit(struct frec_shapes *shapes);

/* What a source's events mean; shape_plans.c and shape_names.c make them. */
struct frec_shapes_plan {
	enum frec_shape_kind kind;
	uint32_t span;
	size_t key;	 /* field, SIZE_MAX: none, as the others */
	size_t identity; /* of spans without a key */
	size_t within;	 /* names an activity */
	bool activity;	 /* the key is the id of one: of all kinds of spans together */
	size_t counter_count, flow_count;
	uint32_t counters[FREC_SHAPE_FIELDS_MAX];
	size_t counter_fields[FREC_SHAPE_FIELDS_MAX];
	size_t flow_fields[FREC_SHAPE_FIELDS_MAX], flow_groups[FREC_SHAPE_FIELDS_MAX];
	size_t message, level;
};

#endif
