// SPDX-License-Identifier: MIT
// Mirrors the open spans of shapes.c, with ids: a stack for each thread and one entry for each
// lane.
#include "export/otlp/spans.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct frec_otlp_thread {
	struct frec_otlp_span *open; /* the oldest first */
	/* `capacity` is needed because `depth` can also fall. frec__grow(), which knows only the
	 * depth, would then allocate again */
	size_t depth, capacity;
};

// These are hashed together with the values, so that ids of different kinds differ even for equal
// values.
enum { OF_BOOT = 1, OF_SPAN, OF_CUT, OF_FLOW, OF_TRACE };

static uint64_t mix(uint64_t hash, uint64_t value)
{
	return frec__stable_mix(frec__stable_mix(hash, value), value >> 32);
}

static uint64_t mix_text(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = frec__stable_mix(hash, (uint8_t)*text);
	return hash;
}

static uint64_t hash_boot(const struct frec_host *host)
{
	const Flightrec__Host *info = host->snapshot->header->host;

	return mix_text(OF_BOOT, info ? info->boot_id : "");
}

// Writes a hash as bytes, in the same order on all machines.
static void write_id(uint8_t *ret, size_t size, uint64_t hash)
{
	for (size_t i = 0; i < size; i++) {
		if (i % 8 == 0)
			hash = mix(hash, i + 1);
		ret[i] = (uint8_t)(hash >> 8 * (7 - i % 8));
	}
	// An id must not be all zeroes, because zeroes mean that there is no id.
	ret[size - 1] |= !hash;
}

static bool has_trace(const struct frec_otlp_ids *ids)
{
	static const uint8_t none[FREC_OTLP_TRACE_ID];

	return memcmp(ids->trace, none, sizeof(none)) != 0;
}

static int digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Parses a trace id as W3C's Trace Context writes it. If `value` is not one, leaves zeroes.
static void parse_trace_id(const struct frec_value *value, struct frec_otlp_ids *ret)
{
	if (value->kind != FREC_VALUE_TEXT || value->size != 2 * sizeof(ret->trace))
		return;
	for (size_t i = 0; i < sizeof(ret->trace); i++) {
		int high = digit(value->data[2 * i]), low = digit(value->data[2 * i + 1]);

		if (high < 0 || low < 0) {
			memset(ret->trace, 0, sizeof(ret->trace));
			return;
		}
		ret->trace[i] = (uint8_t)(high << 4 | low);
	}
}

// Finds the trace that the event's flows put it into: the first value of a flow that is a trace id,
// else a hash of the first flow and a boot id. With several hosts, the boot id is that of the host
// whose clock the timeline uses. Without a flow, leaves zeroes.
static void find_flow(const struct frec_otlp_spans *spans, const struct frec_event *event,
		      struct frec_otlp_ids *ret)
{
	const struct frec_hosts *hosts = spans->shapes->hosts;
	const struct frec_shapes_plan *plan;

	*ret = (struct frec_otlp_ids){0};
	if (!event->shape || !event->shape->flow_count)
		return;
	plan = spans->shapes->plans[event->host->index][event->source_index];
	for (size_t i = 0; i < plan->flow_count && !has_trace(ret); i++)
		parse_trace_id(&event->values[plan->flow_fields[i]], ret);
	if (!has_trace(ret))
		write_id(ret->trace, sizeof(ret->trace),
			 mix(hash_boot(&hosts->hosts[hosts->base]) + OF_FLOW,
			     event->shape->flows[0]));
}

static struct frec_otlp_thread *find_thread(struct frec_otlp_spans *spans,
					    const struct frec_event *event, bool make)
{
	uint64_t key = (uint64_t)event->host->index << 32 | event->record->tid;
	uint32_t *number = make ? frec__table_put(&spans->threads, key, NULL)
				: frec__table_get(&spans->threads, key);

	if (!number)
		return NULL;
	if (!*number)
		*number = (uint32_t)spans->threads.count;
	return frec__by_id(&spans->thread_list, *number, sizeof(struct frec_otlp_thread));
}

// Returns the lane's entry. If the lane was never used, this is NULL or an entry that is not open.
static struct frec_otlp_span *find_lane(const struct frec_otlp_spans *spans, uint32_t lane)
{
	struct frec_otlp_span *lanes = spans->lanes.entries;

	return lane < spans->lanes.count ? &lanes[lane] : NULL;
}

static struct frec_otlp_span *innermost(struct frec_otlp_spans *spans,
					const struct frec_event *event)
{
	const struct frec_otlp_thread *thread = find_thread(spans, event, false);

	return thread && thread->depth ? &thread->open[thread->depth - 1] : NULL;
}

// Finds the open span that the event says it is in, by the id of an activity.
static struct frec_otlp_span *find_within(const struct frec_otlp_spans *spans,
					  const struct frec_event *event)
{
	uint32_t lane = event->shape ? event->shape->within : 0;
	struct frec_otlp_span *span = lane ? find_lane(spans, lane) : NULL;

	return span && span->open ? span : NULL;
}

// Finds the span around the span that the event begins.
static const struct frec_otlp_span *find_around(struct frec_otlp_spans *spans,
						const struct frec_event *event)
{
	const struct frec_otlp_thread *thread = find_thread(spans, event, false);
	size_t depth = thread ? thread->depth : 0;

	if (find_within(spans, event))
		return find_within(spans, event);
	// A span on a lane runs beside the open spans of its kind on its thread, not inside them.
	for (size_t i = 0; event->shape->lane && i < depth; i++) {
		if (thread->open[i].kind == event->shape->span)
			depth = i;
	}
	return depth ? &thread->open[depth - 1] : NULL;
}

// Makes an entry on the thread's stack, or for the lane. Returns NULL if memory runs out.
static struct frec_otlp_span *make_place(struct frec_otlp_spans *spans,
					 const struct frec_event *event)
{
	struct frec_otlp_thread *thread;

	if (event->shape->lane)
		return frec__by_id(&spans->lanes, event->shape->lane,
				   sizeof(struct frec_otlp_span));
	thread = find_thread(spans, event, true);
	if (!thread)
		return NULL;
	if (thread->depth == thread->capacity) {
		size_t capacity = thread->capacity ? 2 * thread->capacity : 8;
		struct frec_otlp_span *open = reallocarray(thread->open, capacity, sizeof(*open));

		if (!open)
			return NULL;
		thread->open = open;
		thread->capacity = capacity;
	}
	return &thread->open[thread->depth++];
}

static void set_ids(struct frec_otlp_spans *spans, struct frec_otlp_span *span,
		    const struct frec_event *event, const struct frec_otlp_span *around)
{
	uint64_t hash = hash_boot(span->host) + (span->cut ? OF_CUT : OF_SPAN);

	hash = mix(mix(mix(hash, event->record->time), event->record->tid), event->record->cpu);
	hash = mix_text(hash, spans->shapes->spans[span->kind].name);
	find_flow(spans, event, &span->ids);
	write_id(span->ids.span, sizeof(span->ids.span), hash);
	if (around)
		span->around = around->ids;
	// This span and the one around it have the same name and began at the same time: make their
	// ids differ.
	if (around && !memcmp(span->ids.span, around->ids.span, sizeof(span->ids.span)))
		write_id(span->ids.span, sizeof(span->ids.span), hash + 1);
	if (has_trace(&span->ids))
		return;
	if (around)
		memcpy(span->ids.trace, around->ids.trace, sizeof(span->ids.trace));
	else
		write_id(span->ids.trace, sizeof(span->ids.trace), hash + OF_TRACE);
}

static struct frec_otlp_span span_of(const struct frec_event *event)
{
	return (struct frec_otlp_span){
		.open = true,
		.kind = event->shape->span,
		.host = event->host,
		.who = event->who,
		.pid = event->who ? event->who->process->pid : event->record->pid,
		.tid = event->record->tid,
		.begin = event->record->time,
		.cut = event->shape->cut,
	};
}

static struct frec_otlp_span *begin(struct frec_otlp_spans *spans, const struct frec_event *event)
{
	struct frec_otlp_span span = span_of(event);
	struct frec_otlp_span *place;

	set_ids(spans, &span, event, find_around(spans, event));
	place = make_place(spans, event);
	if (place)
		*place = span;
	return place;
}

// Moves a span from its entry to `ended`, and calls spans->end. Returns 0 or what spans->end
// returned.
static int end_place(struct frec_otlp_spans *spans, struct frec_otlp_span *place,
		     enum frec_otlp_end how, const struct frec_event *event,
		     struct frec_error *reterr)
{
	int r = 0;

	if (!place->open)
		return 0;
	spans->ended = *place;
	*place = (struct frec_otlp_span){0};
	if (spans->end)
		r = spans->end(spans->data, &spans->ended, how, event, reterr);
	free(spans->ended.data);
	spans->ended.data = NULL;
	return r;
}

static int pop(struct frec_otlp_spans *spans, struct frec_otlp_thread *thread,
	       enum frec_otlp_end how, const struct frec_event *event, struct frec_error *reterr)
{
	if (!thread || !thread->depth)
		return 0;
	return end_place(spans, &thread->open[--thread->depth], how, event, reterr);
}

// Ends a span whose begin was never seen.
static int end_cut(struct frec_otlp_spans *spans, const struct frec_event *event,
		   struct frec_error *reterr)
{
	struct frec_otlp_span span = span_of(event);

	set_ids(spans, &span, event, NULL);
	return end_place(spans, &span, FREC_OTLP_ENDED, event, reterr);
}

static int end(struct frec_otlp_spans *spans, const struct frec_event *event,
	       struct frec_error *reterr)
{
	const struct frec_shape *shape = event->shape;
	struct frec_otlp_span *lane;

	if (shape->cut)
		return end_cut(spans, event, reterr);
	if (!shape->lane)
		return pop(spans, find_thread(spans, event, false), FREC_OTLP_ENDED, event, reterr);
	lane = find_lane(spans, shape->lane);
	return lane ? end_place(spans, lane, FREC_OTLP_ENDED, event, reterr) : 0;
}

int frec__otlp_follow(struct frec_otlp_spans *spans, const struct frec_event *event,
		      struct frec_otlp_ids *ret_ids, struct frec_otlp_span **ret_begun,
		      struct frec_error *reterr)
{
	const struct frec_shape *shape = event->shape;
	const struct frec_otlp_span *in = NULL;
	struct frec_otlp_span *begun = NULL;
	int r = 0;

	for (size_t i = 0; shape && i < shape->abandoned && !r; i++)
		r = pop(spans, find_thread(spans, event, false), FREC_OTLP_ABANDONED, event,
			reterr);
	if (!r && shape && shape->kind == FREC_SHAPE_END) {
		r = end(spans, event, reterr);
		in = &spans->ended;
	} else if (!r && shape && shape->kind == FREC_SHAPE_BEGIN) {
		in = begun = begin(spans, event);
		if (!begun)
			r = frec__error(reterr, -ENOMEM, "out of memory");
	} else {
		in = find_within(spans, event);
		if (!in)
			in = innermost(spans, event);
		find_flow(spans, event, ret_ids);
		if (in && has_trace(ret_ids) &&
		    memcmp(ret_ids->trace, in->ids.trace, sizeof(in->ids.trace)) != 0)
			in = NULL;
	}
	if (in)
		*ret_ids = in->ids;
	if (ret_begun)
		*ret_begun = begun;
	return r;
}

int frec__otlp_end_all(struct frec_otlp_spans *spans, struct frec_error *reterr)
{
	struct frec_otlp_thread *threads = spans->thread_list.entries;
	int r = 0;

	for (size_t i = 0; i < spans->thread_list.count && !r; i++) {
		while (threads[i].depth && !r)
			r = pop(spans, &threads[i], FREC_OTLP_LEFT_OPEN, NULL, reterr);
	}
	for (uint32_t i = 0; i < spans->lanes.count && !r; i++)
		r = end_place(spans, find_lane(spans, i), FREC_OTLP_LEFT_OPEN, NULL, reterr);
	return r;
}

void frec__otlp_spans_deinit(struct frec_otlp_spans *spans)
{
	struct frec_otlp_thread *threads = spans->thread_list.entries;

	for (size_t i = 0; i < spans->thread_list.count; i++) {
		while (threads[i].depth)
			free(threads[i].open[--threads[i].depth].data);
		free(threads[i].open);
	}
	for (uint32_t i = 0; i < spans->lanes.count; i++)
		free(find_lane(spans, i)->data);
	free(spans->lanes.entries);
	free(spans->thread_list.entries);
	frec__table_free(&spans->threads);
}
