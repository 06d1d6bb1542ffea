/* SPDX-License-Identifier: MIT */
/*
 * Spans as OpenTelemetry defines them: each has an id, belongs to a trace, and has the span around
 * it as its parent. shapes.h decides which events begin and end spans. The functions here follow
 * which spans are open, so that logs know which span they are in and traces get complete spans.
 *
 * Ids are hashes of what was recorded, so exporting an event again, from this or another snapshot
 * that has it, gives the same ids:
 *
 *	span	boot, time, CPU and thread of its begin, and its name
 *	trace	the value of its flow (shape_rules.h), which is the same in all processes that
 *		record it. A text of 32 hexadecimal digits, a trace id of W3C's Trace Context, is
 *		used as it is. A span without a flow is in the trace of its parent; if it has no
 *		parent either, it has a trace of its own
 *
 * The parent of a span is the span that its begin event names, else the innermost open span of the
 * thread that began it. If it began beside another span of its kind, it has that span's parent. If
 * its flow puts it into another trace, it has a link instead of a parent.
 *
 * An event that begins or ends a span is in that span. Any other event is in the span that it
 * names, else in the innermost open span of its thread, unless its flow says that it belongs to
 * another trace.
 */
#ifndef FREC_EXPORT_OTLP_SPANS_H
#define FREC_EXPORT_OTLP_SPANS_H

#include "export/by_id.h"
#include "export/timeline/events.h"
#include "proto/table.h"
#include "export/timeline/shapes.h"

#define FREC_OTLP_TRACE_ID 16
#define FREC_OTLP_SPAN_ID 8

/* An id of all zeroes means that there is none. */
struct frec_otlp_ids {
	uint8_t trace[FREC_OTLP_TRACE_ID], span[FREC_OTLP_SPAN_ID];
};

struct frec_otlp_span {
	bool open;
	struct frec_otlp_ids ids;
	struct frec_otlp_ids around; /* its parent, or the span in another trace that it links to */
	uint32_t kind;		     /* index in shapes->spans */
	const struct frec_host *host;
	const struct frec_process_entry *who; /* the thread that began it; NULL: unknown */
	uint32_t pid, tid;
	uint64_t begin; /* CLOCK_MONOTONIC of its host */
	bool cut;	/* its begin is missing, and `begin` is the time of its end */
	void *data;	/* set by the writer, from malloc; freed here after the span has ended */
};

enum frec_otlp_end {
	FREC_OTLP_ENDED,     /* the event ended the span */
	FREC_OTLP_ABANDONED, /* its end is missing, and can no longer come after this event */
	FREC_OTLP_LEFT_OPEN, /* there are no more events, and `event` is NULL */
};

struct frec_otlp_spans {
	const struct frec_shapes *shapes;
	struct frec_table threads;     /* index in thread_list, by host and tid */
	struct frec_by_id thread_list; /* struct frec_otlp_thread */
	struct frec_by_id lanes;       /* struct frec_otlp_span, by number of the lane */
	struct frec_otlp_span ended;   /* the last span that ended */
	/* Called for every span when it ends. Returns 0 or a negative errno. May be NULL. */
	int (*end)(void *data, const struct frec_otlp_span *span, enum frec_otlp_end how,
		   const struct frec_event *event, struct frec_error *reterr);
	void *data;
};

/* Initialise struct frec_otlp_spans with zeroes except for `shapes` and, if wanted, `end` and
 * `data`. */
void frec__otlp_spans_deinit(struct frec_otlp_spans *spans);

/*
 * Updates the open spans with what an event does. To be called once for each event, in the order of
 * the timeline. Events without a shape can be left out if their ids are not needed. Sets *ret_ids
 * to the trace and span that the event belongs to. Sets *ret_begun (unless NULL) to the span that
 * the event begins, so that the writer can set its `data`, or to NULL. Returns 0, -ENOMEM or what
 * `end` returned.
 */
int frec__otlp_follow(struct frec_otlp_spans *spans, const struct frec_event *event,
		      struct frec_otlp_ids *ret_ids, struct frec_otlp_span **ret_begun,
		      struct frec_error *reterr);

/* Ends all spans that are still open, those of a thread youngest first. Returns 0 or what `end`
 * returned. */
int frec__otlp_end_all(struct frec_otlp_spans *spans, struct frec_error *reterr);

#endif
