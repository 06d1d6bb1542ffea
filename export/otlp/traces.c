// SPDX-License-Identifier: MIT
// OpenTelemetry traces, as OTLP in protobuf: a TracesData, which is also the body of a request to a
// collector. It holds the spans that events begin and end (shapes.h):
//
//	name            the name of the span, "request"
//	trace_id, span_id, parent_span_id, links
//			see otlp/spans.h
//	start, end      CLOCK_REALTIME
//	attributes      the fields of the events that began and ended it, under the same names as in
//			logs; if both have a field, the value at the end. thread.id and thread.name:
//			of the thread that began it; flightrec.time: when it began, CLOCK_MONOTONIC;
//			flightrec.truncated: as in logs; flightrec.missing: "begin" if no
//			event began the span (its start is then the first event of its host), "end"
//			if no event ended it
//
// An OTLP file holds one kind of message, so this is a separate format beside otlp.c. Each process
// is a resource with its tags and those of the recorder. Unless a tag says otherwise, service.name
// is the process's name, because viewers group spans by service.name.
//
// If no event ended a span, it is given the earliest of these as its end: the end of its process,
// the end of an outer span of its thread, the first begin or end event of a new thread with the
// same tid, and the last event of its host. If its process is the one that died, the span is an
// error and its status says how the process died.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "export/read/clocks.h"
#include "export/report/crash.h"
#include "export/otlp/spans.h"
#include "export/otlp/values.h"
#include "export/packed.h"
#include "export/writer.h"

#define BATCH 256
// How many attributes a span can have beside the fields of its events: time, thread id and name,
// missing, truncated.
#define OWN_ATTRIBUTES 5

// The event that began a span.
struct begin_event {
	const Flightrec__Source *source;
	struct frec_value values[]; /* followed by the data that they point to */
};

// The spans of one process in the batch.
struct group {
	const struct frec_host *host;
	const Flightrec__Process *process; /* NULL: unknown */
	uint32_t pid;
	Otlp__Span *spans[BATCH];
	size_t count;
};

struct traces {
	const struct frec_export *context;
	struct frec_otlp_spans spans;
	struct frec_arena arena; /* for the batch */
	struct group *groups[BATCH];
	size_t group_count, count;
	struct {
		uint64_t first, last; /* times of its events, CLOCK_MONOTONIC */
		bool any;
	} * hosts;
	struct frec_packed packed;
};

static size_t bytes_of(const struct frec_value *value)
{
	return value->kind == FREC_VALUE_TEXT || value->kind == FREC_VALUE_BYTES ||
			       value->kind == FREC_VALUE_ARRAY
		       ? value->size
		       : 0;
}

// Copies the event with malloc, to be kept while the span is open. Returns NULL if memory runs out.
static struct begin_event *copy_event(const struct frec_event *event)
{
	size_t count = event->source->n_field,
	       size = sizeof(struct begin_event) + count * sizeof(struct frec_value);
	struct begin_event *copy;
	uint8_t *to;

	for (size_t i = 0; i < count; i++)
		size += bytes_of(&event->values[i]);
	copy = malloc(size);
	if (!copy)
		return NULL;
	copy->source = event->source;
	to = (uint8_t *)&copy->values[count];
	for (size_t i = 0; i < count; i++) {
		struct frec_value *value = &copy->values[i];

		*value = event->values[i];
		value->size = bytes_of(value);
		if (value->size)
			memcpy(to, value->data, value->size);
		value->data = to;
		to += value->size;
	}
	return copy;
}

static bool is_same_process(const struct group *group, const struct frec_otlp_span *span)
{
	return group->host == span->host && group->pid == span->pid &&
	       group->process == (span->who ? span->who->process : NULL);
}

// Finds or makes the group of the span's process. Returns NULL if memory runs out.
static struct group *find_group(struct traces *traces, const struct frec_otlp_span *span)
{
	struct group *group;

	// Search backwards, because spans of one process tend to come together.
	for (size_t i = traces->group_count; i--;) {
		if (is_same_process(traces->groups[i], span))
			return traces->groups[i];
	}
	group = frec__arena_alloc(&traces->arena, sizeof(*group));
	if (!group)
		return NULL;
	group->host = span->host;
	group->process = span->who ? span->who->process : NULL;
	group->pid = span->pid;
	traces->groups[traces->group_count++] = group;
	return group;
}

static void fill_resource(struct frec_arena *arena, const struct group *group, Otlp__Resource *ret)
{
	static const char unknown[] = "unknown_service";
	const struct frec_process_entry who = {.process = group->process};
	const Flightrec__Header *header = group->host->snapshot->header;
	struct frec_otlp_attributes attributes;
	const Flightrec__Pair *named;

	if (!frec__otlp_attributes(arena, &attributes,
				   FREC_OTLP_OTHER_ATTRIBUTES_MAX + 2 * FREC_OTLP_TAGS_MAX))
		return;
	named = group->process ? frec__pairs_find(group->process->tag, group->process->n_tag,
						  "service.name")
			       : NULL;
	if (!named)
		named = frec__pairs_find(header->tag, header->n_tag, "service.name");
	if (named)
		frec__otlp_add_text(arena, &attributes, "service.name", named->value.data,
				    named->value.len);
	else if (group->process && group->process->name.len)
		frec__otlp_add_text(arena, &attributes, "service.name", group->process->name.data,
				    group->process->name.len);
	else
		frec__otlp_add_text(arena, &attributes, "service.name", unknown,
				    sizeof(unknown) - 1);
	frec__otlp_add_host(arena, &attributes, group->host);
	frec__otlp_add_process(arena, &attributes, group->process ? &who : NULL, group->pid);
	if (group->process)
		frec__otlp_add_tags(arena, &attributes, group->process->tag, group->process->n_tag);
	frec__otlp_add_tags(arena, &attributes, header->tag, header->n_tag);
	ret->attributes = attributes.items;
	ret->n_attributes = attributes.count;
}

static int flush(struct traces *traces, struct frec_error *reterr)
{
	Otlp__TracesData data = OTLP__TRACES_DATA__INIT;
	struct {
		Otlp__ResourceSpans spans;
		Otlp__Resource resource;
		Otlp__ScopeSpans scope, *scopes;
	} *all = frec__arena_array(&traces->arena, traces->group_count, sizeof(*all));
	Otlp__ResourceSpans *pointers[BATCH];
	int r = 0;

	for (size_t i = 0; all && i < traces->group_count; i++) {
		struct group *group = traces->groups[i];

		otlp__resource_spans__init(&all[i].spans);
		otlp__resource__init(&all[i].resource);
		otlp__scope_spans__init(&all[i].scope);
		fill_resource(&traces->arena, group, &all[i].resource);
		all[i].scope.scope = frec__otlp_scope(&traces->arena, group->host);
		all[i].scope.spans = group->spans;
		all[i].scope.n_spans = group->count;
		all[i].scopes = &all[i].scope;
		all[i].spans.resource = &all[i].resource;
		all[i].spans.scope_spans = &all[i].scopes;
		all[i].spans.n_scope_spans = 1;
		pointers[i] = &all[i].spans;
	}
	data.resource_spans = pointers;
	data.n_resource_spans = traces->group_count;
	if (traces->arena.failed)
		r = frec__error(reterr, -ENOMEM, "out of memory");
	else if (traces->count)
		r = frec__packed_write(&traces->packed, &data.base, traces->context->output,
				       reterr);
	frec__arena_reset(&traces->arena);
	traces->count = traces->group_count = 0;
	return r;
}

static size_t add_fields(struct frec_arena *arena, const Flightrec__Source *source,
			 const struct frec_value *values, struct frec_otlp_field *fields,
			 size_t count)
{
	size_t before = count;

	for (size_t i = 0; i < source->n_field; i++) {
		char *key = frec__otlp_qualified(arena, source->system, source->field[i]->name);
		size_t at = 0;

		while (at < before && strcmp(fields[at].key, key) != 0)
			at++;
		if (at == before)
			fields[count++] = (struct frec_otlp_field){key, &values[i]};
		else if (values[i].kind != FREC_VALUE_INVALID)
			fields[at].value = &values[i];
	}
	return count;
}

static void fill_attributes(struct frec_arena *arena, const struct frec_otlp_span *span,
			    enum frec_otlp_end how, const struct frec_event *event, Otlp__Span *ret)
{
	const struct begin_event *begun = span->data;
	size_t room = (begun ? begun->source->n_field : 0) + (event ? event->source->n_field : 0),
	       count = 0;
	struct frec_otlp_field *fields = frec__arena_array(arena, room, sizeof(*fields));
	struct frec_otlp_attributes attributes;

	if (!fields || !frec__otlp_attributes(arena, &attributes, room + OWN_ATTRIBUTES))
		return;
	if (!span->cut)
		frec__otlp_add_integer(arena, &attributes, "flightrec.time", (int64_t)span->begin);
	frec__otlp_add_thread(arena, &attributes, span->who, span->tid);
	if (span->cut || how != FREC_OTLP_ENDED)
		frec__otlp_add_text(arena, &attributes, "flightrec.missing",
				    span->cut ? "begin" : "end", span->cut ? 5 : 3);
	if (begun)
		count = add_fields(arena, begun->source, begun->values, fields, count);
	if (event && how == FREC_OTLP_ENDED)
		count = add_fields(arena, event->source, event->values, fields, count);
	frec__otlp_add_fields(arena, &attributes, fields, count);
	ret->attributes = attributes.items;
	ret->n_attributes = attributes.count;
}

// Returns the death of the span's process if it came after the begin of the span and within the
// exported period, else NULL.
static const Flightrec__Crash *find_crash(const struct traces *traces,
					  const struct frec_otlp_span *span)
{
	const struct frec_timeline *timeline = traces->context->timeline;

	for (size_t i = 0; i < timeline->file_count; i++) {
		const Flightrec__Crash *crash = timeline->snapshots[i]->crash;

		if (crash && timeline->files[i].host == span->host && crash->pid == span->pid &&
		    crash->time >= span->begin && crash->time <= span->host->filter.to)
			return crash;
	}
	return NULL;
}

static void fail(struct frec_arena *arena, const Flightrec__Crash *crash, Otlp__Span *ret)
{
	Otlp__SpanStatus *status = frec__arena_alloc(arena, sizeof(*status));
	FREC_TEXT_FREE struct frec_text words = {0};

	frec__text_puts(&words, "the process died in it: ");
	frec__crash_headline(&words, crash);
	if (status) {
		otlp__span_status__init(status);
		status->code = OTLP__STATUS_CODE__STATUS_CODE_ERROR;
		status->message = frec__arena_utf8(arena, words.data, words.size, "");
	}
	ret->status = status;
	arena->failed |= words.failed;
}

// Returns the time at which to end a span whose end is missing, on the clock of its host. Marks the
// span as an error if it ended with the death of its process.
static uint64_t end_of(struct traces *traces, const struct frec_otlp_span *span,
		       const struct frec_event *event, Otlp__Span *ret)
{
	const Flightrec__Crash *crash = find_crash(traces, span);
	uint64_t last = event ? event->record->time : traces->hosts[span->host->index].last;
	uint64_t exit = span->who ? span->who->process->exit : 0;

	if (crash && (!event || crash->time <= last)) {
		fail(&traces->arena, crash, ret);
		return crash->time;
	}
	return exit >= span->begin && exit < last ? exit : last;
}

// Makes the span around this one its parent, or a link if that span is in another trace, because a
// parent must be in the same trace.
static void set_around(struct frec_arena *arena, const struct frec_otlp_span *span, Otlp__Span *ret)
{
	ProtobufCBinaryData around =
		frec__otlp_id(arena, span->around.span, sizeof(span->around.span));
	struct {
		Otlp__SpanLink link, *pointer;
	} * made;

	if (!around.len)
		return;
	if (!memcmp(span->around.trace, span->ids.trace, sizeof(span->ids.trace))) {
		ret->parent_span_id = around;
		return;
	}
	made = frec__arena_alloc(arena, sizeof(*made));
	if (!made)
		return;
	otlp__span_link__init(&made->link);
	made->link.trace_id = frec__otlp_id(arena, span->around.trace, sizeof(span->around.trace));
	made->link.span_id = around;
	made->pointer = &made->link;
	ret->links = &made->pointer;
	ret->n_links = 1;
}

static int write_span(void *data, const struct frec_otlp_span *span, enum frec_otlp_end how,
		      const struct frec_event *event, struct frec_error *reterr)
{
	struct traces *traces = data;
	struct frec_arena *arena = &traces->arena;
	struct group *group = find_group(traces, span);
	Otlp__Span *made = frec__arena_alloc(arena, sizeof(*made));
	uint64_t begin = span->cut ? traces->hosts[span->host->index].first : span->begin, end;

	if (!group || !made)
		return frec__error(reterr, -ENOMEM, "out of memory");
	otlp__span__init(made);
	made->trace_id = frec__otlp_id(arena, span->ids.trace, sizeof(span->ids.trace));
	made->span_id = frec__otlp_id(arena, span->ids.span, sizeof(span->ids.span));
	set_around(arena, span, made);
	made->name = frec__arena_string(arena, traces->spans.shapes->spans[span->kind].name);
	made->kind = OTLP__SPAN_KIND__SPAN_KIND_INTERNAL;
	fill_attributes(arena, span, how, event, made);
	end = how == FREC_OTLP_ENDED ? event->record->time : end_of(traces, span, event, made);
	made->start_time_unix_nano = frec__snapshot_realtime(span->host->snapshot, begin);
	made->end_time_unix_nano = frec__snapshot_realtime(span->host->snapshot, end);
	// CLOCK_REALTIME may have been set back between the begin and the end.
	if (made->end_time_unix_nano < made->start_time_unix_nano)
		made->end_time_unix_nano = made->start_time_unix_nano;
	group->spans[group->count++] = made;
	return ++traces->count == BATCH ? flush(traces, reterr) : 0;
}

static int begin(const struct frec_export *context, void **ret_state, struct frec_error *reterr)
{
	struct traces *traces = calloc(1, sizeof(*traces));

	if (traces)
		traces->hosts = calloc(context->timeline->hosts.count, sizeof(*traces->hosts));
	if (!traces || !traces->hosts) {
		free(traces);
		return frec__error(reterr, -ENOMEM, "out of memory");
	}
	traces->context = context;
	traces->spans.shapes = &context->timeline->shapes;
	traces->spans.end = write_span;
	traces->spans.data = traces;
	*ret_state = traces;
	return 0;
}

static int event(void *state, const struct frec_event *event, struct frec_error *reterr)
{
	struct traces *traces = state;
	struct frec_otlp_span *begun;
	struct frec_otlp_ids ids;
	int r;

	if (!traces->hosts[event->host->index].any)
		traces->hosts[event->host->index].first = event->record->time;
	traces->hosts[event->host->index].any = true;
	traces->hosts[event->host->index].last = event->record->time;
	if (!event->shape)
		return 0;
	r = frec__otlp_follow(&traces->spans, event, &ids, &begun, reterr);
	if (r || !begun)
		return r;
	begun->data = copy_event(event);
	return begun->data ? 0 : frec__error(reterr, -ENOMEM, "out of memory");
}

static int end(void *state, struct frec_error *reterr)
{
	struct traces *traces = state;
	int r = frec__otlp_end_all(&traces->spans, reterr);

	return r ? r : flush(traces, reterr);
}

static void destroy(void *state)
{
	struct traces *traces = state;

	frec__otlp_spans_deinit(&traces->spans);
	frec__arena_free(&traces->arena);
	free(traces->packed.data);
	free(traces->hosts);
	free(traces);
}

const struct frec_writer frec__writer_otlp_traces = {
	.name = "otlp-traces",
	.what = "OpenTelemetry traces in protobuf: the spans",
	.suffix = ".traces.otlp",
	.other_suffix = ".traces.otlp.pb",
	.several_hosts = true,
	.collector_path = "/v1/traces",
	.begin = begin,
	.event = event,
	.end = end,
	.destroy = destroy,
};
