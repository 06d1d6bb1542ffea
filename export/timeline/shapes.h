/* SPDX-License-Identifier: MIT */
/*
 * What events mean besides that they happened. Some events begin or end a span, some hold the value
 * of a counter, some are a line of a log, and some belong together with others in a flow. This is
 * decided here, once, for all formats.
 *
 * An example. Services emit these events (time, thread, event):
 *
 *     1  T1  shop:request_start                   5  T1  shop:price_done
 *     2  T1  shop:price_start                     6  T2  shop:order_done id=7
 *     3  T2  shop:order_start id=7                7  T1  shop:request_done
 *     4  T2  shop:order_start id=8                8  T3  shop:order_done id=8
 *
 * There is a rule "span shop:order_start,shop:order_done,key=id" (shape_rules.h). The other pairs
 * are spans because of their names. The result:
 *
 *     time            1    2    3    4    5    6    7    8
 *     thread T1       [request----------------------]            spans of a thread nest
 *                          [price---------]
 *     lane 1                    [order 7-------]                 spans with a key lie on lanes,
 *     lane 2                         [order 8------------]       which belong to no thread
 *
 * Each event gets a struct frec_shape. That of event 5 is the END of a span "price" that began at
 * 2, on lane 0 (the thread). That of event 8 is the END of a span "order" that began at 4, on lane
 * 2, although another thread began it.
 *
 * Names that mean something without a rule:
 *
 *     X_start, X_begin or X_enter, with X_done, X_end, X_stop or X_exit of the same provider: the
 *     span X of the thread that emits them. There can be more underscores, for example two
 *     as in PostgreSQL. The kernel's syscalls:sys_enter_X and sys_exit_X are a span, too, unless
 *     events of raw_syscalls are exported.
 *
 *     EventHeader events (eventheader.h) whose opcode is start or stop, whatever their names are: a
 *     span whose key is the id of the activity or, without an id, a span of the thread. Other
 *     events with an activity id say in which activity they are.
 *
 *     A text field "message" or "msg", if there is no other text but "level", "severity",
 *     "priority" and the ids of activities: a line of a log.
 *
 * A span without a key belongs to its thread, and the spans of a thread nest. An end closes the
 * thread's youngest open span of its kind. Open spans that are younger than the closed one are
 * *abandoned*: they end there, too. A span with a key is found by the value of its key, whichever
 * threads and processes of a host emit its ends. It lies on a *lane*, where spans do not overlap.
 *
 * A thread that does several things at a time begins spans of one kind that overlap. They are told
 * apart if both events have an *identity*: a field with the same name, which is "id", "key",
 * "request", "order", "job", "task" or the span's own name, or ends in "_id". An end closes the
 * youngest span with the same value. A span that begins while one with another value is open lies
 * on a lane. So does a span whose begin is missing, if spans with other values are open at its end.
 *
 * If a filter leaves out the events that begin or the events that end a kind of span, the others
 * become instants.
 *
 * If the begin of a span is missing, because it was overwritten or came before the recording, the
 * span is *cut*: it reaches back to before the first event. A span without an end stays open.
 *
 * Memory grows with the number of spans that are open at one time, not with the size of the file.
 * That number is bounded: an event that would exceed the bound begins no span.
 *
 * How to use this: call frec__shapes_init(), then frec__shapes_plan() (shape_plans.h), which plans
 * what each source means, by rules (shape_by_rules.c) and by names (shape_by_names.c). Then pass
 * every event to frec__shapes_of(), which follows the open spans.
 */
#ifndef FREC_EXPORT_TIMELINE_SHAPES_H
#define FREC_EXPORT_TIMELINE_SHAPES_H

#include "export/timeline/events.h"
#include "export/timeline/hosts.h"
#include "export/timeline/shape_rules.h"
#include "proto/table.h"

enum frec_shape_kind { FREC_SHAPE_INSTANT, FREC_SHAPE_BEGIN, FREC_SHAPE_END };

/* A kind of span. */
struct frec_span {
	const struct frec_shape_rule *rule; /* NULL: found by the names of its events */
	char *system, *name;
};

struct frec_lane {
	uint32_t span;
	uint32_t pid;	/* of the process that began the lane's first span */
	uint64_t kind;	/* the same for all lanes of one kind of span and one process */
	uint64_t begin; /* when the open span on the lane began */
	uint32_t next;	/* index of the next free lane of this kind; 0: none */
};

/* The most counters, and the most flows, of an event. */
#define FREC_SHAPE_FIELDS_MAX 8

/* The shape of an event. Valid for as long as the event is. */
struct frec_shape {
	enum frec_shape_kind kind;
	uint32_t span; /* of BEGIN and END: index in spans */
	uint32_t lane; /* 0: the thread itself, else the lane at this index */
	/* lane of the open span around this event, or around the span that it begins; 0: the event
	 * names no such span */
	uint32_t within;
	uint64_t begin; /* of END: when the span began, in the time of the timeline */
	/* of END: the begin is missing. Then `begin` is before anything else on the thread or
	 * lane. */
	bool cut;
	/* how many open spans of the thread end here before this one, youngest first */
	size_t abandoned;
	size_t counter_count;
	struct {
		uint32_t number; /* index of the counter in frec_shapes.counters */
		const struct frec_value *value;
	} counters[FREC_SHAPE_FIELDS_MAX];
	size_t flow_count;
	uint64_t flows[FREC_SHAPE_FIELDS_MAX]; /* equal for events that belong together; never 0 */
	const struct frec_value *message;      /* the line of a log; NULL if the event is not one */
	int level;			       /* 0 to 7, as in syslog(3) */
};

/* A counter, which has a value for each process. */
struct frec_counter {
	char *name;
};

struct frec_shapes_plan;
struct frec_shapes_thread;

struct frec_shapes {
	struct frec_span *spans;
	size_t span_count;
	/* index in `spans` plus 1, by hash of the rule or, without one, of system and name */
	struct frec_table span_numbers;
	struct frec_counter *counters;
	size_t counter_count;
	/* plans[host][source]; NULL: its events are only instants */
	struct frec_shapes_plan ***plans;
	size_t host_count;
	const struct frec_hosts *hosts;

	struct frec_lane *lanes; /* index 0 is not used */
	size_t lane_count;
	struct frec_table free_lanes; /* index of the first free lane, by kind of lane */
	/* index of the lane of each open span, by hash of its key or identity */
	struct frec_table open;
	struct frec_table threads; /* index in thread_list, by host and tid */
	struct frec_shapes_thread *thread_list;
	size_t thread_count;
	size_t open_count; /* of the spans of all threads */
	uint64_t first;	   /* time of the first event */
	uint64_t cuts;	   /* how many spans were cut; each one begins before the previous one */
	bool started, failed;
	struct frec_shape shape;
};

/* Prepares the shapes of events of these hosts, which must outlive `shapes`. Every event is an
 * instant until frec__shapes_plan() (shape_plans.h) has planned the sources. Returns 0 or
 * -ENOMEM. */
int frec__shapes_init(struct frec_shapes *shapes, const struct frec_hosts *hosts,
		      struct frec_error *reterr);

/* Returns the shape of an event, or NULL if it is only an instant. Must be called once for each
 * event, in the order of the timeline. Sets `failed` if memory runs out. */
const struct frec_shape *frec__shapes_of(struct frec_shapes *shapes,
					 const struct frec_event *event);

void frec__shapes_deinit(struct frec_shapes *shapes);

/* What a source's events mean. */
struct frec_shapes_plan {
	enum frec_shape_kind kind;
	uint32_t span;
	size_t key;	 /* index of a field, like the next two; SIZE_MAX: none */
	size_t identity; /* the field of the identity, in spans without a key */
	size_t within;	 /* the field that holds the id of the activity around the event */
	/* the key is the id of an activity, which means the same in all kinds of spans */
	bool activity;
	size_t counter_count, flow_count;
	uint32_t counters[FREC_SHAPE_FIELDS_MAX];
	size_t counter_fields[FREC_SHAPE_FIELDS_MAX];
	size_t flow_fields[FREC_SHAPE_FIELDS_MAX], flow_groups[FREC_SHAPE_FIELDS_MAX];
	size_t message, level;
};

#endif
