/* SPDX-License-Identifier: MIT */
/*
 * Spans as OpenTelemetry has them: each with an id, in a trace, with the span around it as its
 * parent. Which events begin and end them is decided by shapes.h; here is followed which are open,
 * so that logs know what they are in and traces get whole spans.
 *
 * Ids are hashes of what is recorded, so whoever exports an event again, from this or another
 * snapshot that has it, gives it the same ones:
 *
 *     span    boot, time, CPU and thread of its begin
 *     trace   the value that a flow goes by (shape_rules.h), the same in all processes that tell it; a
 *             text of 32 hexadecimal digits, a trace id of W3C's Trace Context, is taken as it is.
 *             Without a flow that of the span around it, else one of its own
 *     parent  the span that the begin says it is part of, else the innermost one of the thread that
 *             began it; of one that began beside another of its kind, what that one is in. A span
 *             whose flow makes it part of another trace has none, and a link to that one instead
 *
 * An event that begins or ends a span is in that span; every other in the one that it names, else
 * the innermost one of its thread, unless its flow says that it is part of another trace.
 */
#ifndef FREC_EXPORT_OTLP_SPANS_H
#define FREC_EXPORT_OTLP_SPANS_H

#include "export/by_id.h"
#include "export/timeline/events.h"
#include "proto/table.h"
#include "export/timeline/shapes.h"

#define FREC_OTLP_TRACE_ID 16
#define FREC_OTLP_SPAN_ID 8

/* Zeroes: none. */
struct frec_otlp_ids {
	uint8_t trace[FREC_OTLP_TRACE_ID], span[FREC_OTLP_SPAN_ID];
};

struct frec_otlp_span {
	bool open;
	struct frec_otlp_ids ids;
	struct frec_otlp_ids around; /* its parent, or, in another trace, what it has a link to */
	uint32_t kind;		     /* index in shapes->spans */
	const struct frec_host *host;
	const struct frec_process_entry *who; /* began it; NULL: not known */
	uint32_t pid, tid;
	uint64_t begin; /* CLOCK_MONOTONIC of its host */
	bool cut;	/* its begin is not there, and `begin` the time of its end */
	void *data;	/* the writer's, from malloc: freed when the span has ended */
};

enum frec_otlp_end {
	FREC_OTLP_ENDED,     /* by the event */
	FREC_OTLP_ABANDONED, /* its end is not there, and cannot come after the event any more */
	FREC_OTLP_LEFT_OPEN, /* when the events ended: there is no event */
};

struct frec_otlp_spans {
	const struct frec_shapes *shapes;
	struct frec_table threads;     /* number in thread_list, from 1 */
	struct frec_by_id thread_list; /* struct frec_otlp_thread */
	struct frec_by_id lanes;       /* struct frec_otlp_span, by number of the lane */
	struct frec_otlp_span ended;   /* the last one */
	/* Told of every span when it ends; NULL: nobody is. */
	int (*end)(void *data, const struct frec_otlp_span *span, enum frec_otlp_end how,
		   const struct frec_event *event, struct frec_error *reterr);
	void *data;
};

/* Start with zeroes but `shapes`, and `end` and `data` if wanted. */
void frec__otlp_spans_deinit(struct frec_otlp_spans *spans);

/*
 * Follows an event; each once, in the order of the timeline. *ret_ids tells where it belongs,
 * *ret_begun (NULL: not wanted) is the span that it begins, for the writer's data, or NULL. Returns
 * 0, -ENOMEM or what `end` returned.
 */
int frec__otlp_follow(struct frec_otlp_spans *spans, const struct frec_event *event,
		      struct frec_otlp_ids *ret_ids, struct frec_otlp_span **ret_begun,
		      struct frec_error *reterr);

/* Ends all that are still open: those of a thread youngest first. */
int frec__otlp_end_all(struct frec_otlp_spans *spans, struct frec_error *reterr);

#endif
