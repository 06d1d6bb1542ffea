// SPDX-License-Identifier: MIT
// Perfetto's protobuf trace, packet by packet.
//
// All packets of a host, except its kernel tracepoints, belong to one sequence. The first packet of
// a sequence clears the reader's state and sets the clock; all others need that state. Each further
// host is a machine of its own, whose clocks are declared to be those of the first, because times
// are on the timeline's clock. Names of events, categories and annotations are interned: the packet
// of a source's first event contains all names of that source. Times are CLOCK_MONOTONIC, except in
// ftrace events, for which readers assume CLOCK_BOOTTIME whatever a packet says; the clock
// snapshots in the trace relate the two.
//
// A packet holds one kernel event, while Perfetto's own recorder bundles hundreds. This costs ten
// bytes for each event, and saves the memory for a bundle.
#include <errno.h>
#include <stdlib.h>

#include "export/perfetto/attributes.h"
#include "export/perfetto/coverage.h"
#include "export/perfetto/crash.h"
#include "export/perfetto/event.h"
#include "export/perfetto/ftrace.h"
#include "export/perfetto/meta.h"
#include "export/perfetto/shapes.h"
#include "export/perfetto/sources.h"
#include "export/perfetto/stacks.h"
#include "export/perfetto/switches.h"
#include "export/perfetto/trace.h"

static Perfetto__Protos__EventName *event_name(struct frec_arena *arena, uint64_t iid,
					       const char *string)
{
	Perfetto__Protos__EventName *name = frec__arena_alloc(arena, sizeof(*name));

	if (!name)
		return NULL;
	perfetto__protos__event_name__init(name);
	name->has_iid = true;
	name->iid = iid;
	name->name = frec__arena_string(arena, string);
	return name;
}

// Makes the names that the packet of a source's first event contains: the names of the event, its
// category and its fields; and, unless `span` is NULL, the name of the span that the event begins,
// with the number `span_iid`. Returns NULL if memory runs out.
static Perfetto__Protos__InternedData *intern(struct frec_arena *arena,
					      const Flightrec__Source *source, size_t index,
					      uint64_t annotation_iid, const char *span,
					      uint64_t span_iid)
{
	Perfetto__Protos__InternedData *data = frec__arena_alloc(arena, sizeof(*data));
	Perfetto__Protos__EventCategory *category = frec__arena_alloc(arena, sizeof(*category));
	Perfetto__Protos__DebugAnnotationName *annotations =
		frec__arena_array(arena, source->n_field, sizeof(*annotations));
	void **pointers = frec__arena_array(arena, source->n_field + 3, sizeof(*pointers));

	if (!data || !category || !annotations || !pointers)
		return NULL;
	perfetto__protos__interned_data__init(data);
	perfetto__protos__event_category__init(category);
	category->has_iid = true;
	category->iid = index + 1;
	category->name = frec__arena_string(arena, source->system);
	pointers[0] = category;
	pointers[1] = event_name(arena, index + 1, source->name);
	pointers[2] = span ? event_name(arena, span_iid, span) : NULL;
	if (!pointers[1] || (span && !pointers[2]))
		return NULL;
	data->event_categories = (Perfetto__Protos__EventCategory **)&pointers[0];
	data->n_event_categories = 1;
	data->event_names = (Perfetto__Protos__EventName **)&pointers[1];
	data->n_event_names = span ? 2 : 1;
	for (size_t i = 0; i < source->n_field; i++) {
		perfetto__protos__debug_annotation_name__init(&annotations[i]);
		annotations[i].has_iid = true;
		annotations[i].iid = annotation_iid + i;
		annotations[i].name = frec__arena_string(arena, source->field[i]->name);
		pointers[3 + i] = &annotations[i];
	}
	data->debug_annotation_names = (Perfetto__Protos__DebugAnnotationName **)&pointers[3];
	data->n_debug_annotation_names = source->n_field;
	return data;
}

static int write_track_event(struct frec_perfetto *perfetto, const struct frec_event *event,
			     uint64_t callstack_iid, struct frec_error *reterr)
{
	const struct frec_record *record = event->record;
	struct frec_perfetto_source *source =
		&perfetto->sources[event->host->index][event->source_index];
	Perfetto__Protos__InternedData *interned = NULL;
	uint64_t track;
	int r;

	r = frec__perfetto_track(perfetto, record->pid, record->tid, event->who, &track, reterr);
	if (!r && event->shape)
		r = frec__perfetto_before(perfetto, event, track, &track, reterr);
	if (r)
		return r;
	if (!source->interned) {
		interned =
			intern(&perfetto->arena, record->source, event->source_index,
			       source->annotation_iid,
			       frec__perfetto_span_name(perfetto, event->host, event->source_index),
			       event->host->snapshot->source_count + event->source_index + 1);
		if (!interned)
			return frec__error(reterr, -ENOMEM, "out of memory");
		source->interned = true;
	}
	r = frec__perfetto_write_event(perfetto, event, track, callstack_iid, interned, reterr);
	if (interned)
		frec__arena_reset(&perfetto->arena);
	if (!r && event->shape)
		r = frec__perfetto_after(perfetto, event, reterr);
	return r;
}

static int event(void *state, const struct frec_event *event, struct frec_error *reterr)
{
	const struct frec_call_stack *stack = frec__event_stack(event);
	const struct frec_record *record = event->record;
	struct frec_perfetto *perfetto = state;
	// Readers would take an ftrace event of an unknown CPU or thread for one of number 0.
	bool is_kernel = record->source->kind == FLIGHTREC__SOURCE_KIND__SOURCE_TRACEPOINT &&
			 record->cpu != FREC_UNKNOWN && record->tid != FREC_UNKNOWN;
	bool known = perfetto->sources[event->host->index][event->source_index].known;
	uint64_t iid;
	int r;

	perfetto->host = event->host;
	r = frec__perfetto_stack(perfetto, stack, &iid, reterr);
	if (r)
		return r;
	// A tracepoint without a shape becomes an ftrace event; any other event, a track event. A
	// tracepoint that Perfetto knows and that has a shape becomes both.
	if (is_kernel && (!event->shape || known))
		r = frec__perfetto_write_ftrace(perfetto, event, reterr);
	if (!r && (!is_kernel || event->shape))
		r = write_track_event(perfetto, event, iid, reterr);
	if (!r && stack && record->tid != FREC_UNKNOWN)
		r = frec__perfetto_write_sample(
			perfetto,
			&(struct frec_perfetto_sample){
				.time = event->time,
				.cpu = record->cpu,
				.pid = record->pid == FREC_UNKNOWN ? record->tid : record->pid,
				.tid = record->tid,
				.stack = stack,
				.iid = iid,
			},
			reterr);
	return r;
}

static void destroy(void *state)
{
	struct frec_perfetto *perfetto = state;

	frec__arena_free(&perfetto->arena);
	for (size_t i = 0; perfetto->sources && i < perfetto->context->timeline->hosts.count; i++)
		frec__perfetto_free_sources(
			perfetto->sources[i],
			perfetto->context->timeline->hosts.hosts[i].snapshot->source_count);
	frec__perfetto_stacks_deinit(&perfetto->stacks);
	frec__perfetto_switches_deinit(&perfetto->switches);
	free(perfetto->sources);
	frec__table_free(&perfetto->described);
	frec__table_free(&perfetto->counters);
	free(perfetto->packed.data);
	free(perfetto);
}

static int write_preamble(struct frec_perfetto *perfetto, struct frec_error *reterr)
{
	const struct frec_timeline *timeline = perfetto->context->timeline;
	int r = 0;

	for (size_t i = 0; i < timeline->hosts.count && !r; i++) {
		perfetto->host = &timeline->hosts.hosts[i];
		r = frec__perfetto_write_clocks(perfetto, reterr);
		if (!r)
			r = frec__perfetto_write_system(perfetto, reterr);
		if (!r)
			r = frec__perfetto_write_processes(perfetto, reterr);
	}
	perfetto->host = &timeline->hosts.hosts[0];
	if (!r)
		r = frec__perfetto_write_attributes(perfetto, reterr);
	for (size_t i = 0; i < timeline->file_count && !r; i++)
		r = frec__perfetto_write_coverage(perfetto, &timeline->files[i], i, reterr);
	return r;
}

static int begin(const struct frec_export *context, void **ret_state, struct frec_error *reterr)
{
	const struct frec_hosts *hosts = &context->timeline->hosts;
	struct frec_perfetto *perfetto = calloc(1, sizeof(*perfetto));
	int r = 0;

	if (!perfetto)
		return frec__error(reterr, -ENOMEM, "out of memory");
	perfetto->context = context;
	perfetto->sources = calloc(hosts->count, sizeof(*perfetto->sources));
	for (size_t i = 0; perfetto->sources && i < hosts->count && !r; i++)
		r = frec__perfetto_prepare_sources(perfetto, &hosts->hosts[i]) ? 0 : -ENOMEM;
	if (r || !perfetto->sources)
		r = frec__error(reterr, -ENOMEM, "out of memory");
	else
		r = write_preamble(perfetto, reterr);
	if (r)
		destroy(perfetto);
	else
		*ret_state = perfetto;
	return r;
}

static int end(void *state, struct frec_error *reterr)
{
	struct frec_perfetto *perfetto = state;
	const struct frec_timeline *timeline = perfetto->context->timeline;
	int r = 0;

	for (size_t i = 0; i < timeline->file_count && !r; i++) {
		perfetto->host = timeline->files[i].host;
		r = frec__perfetto_write_trigger(perfetto, &timeline->files[i], reterr);
		if (!r)
			r = frec__perfetto_write_crash(perfetto, &timeline->files[i], reterr);
		if (!r)
			r = frec__perfetto_write_threads(perfetto, &timeline->files[i], reterr);
	}
	return r;
}

const struct frec_writer frec__writer_perfetto = {
	.name = "perfetto",
	.what = "for ui.perfetto.dev",
	.suffix = ".pftrace",
	.other_suffix = ".perfetto-trace",
	.several_hosts = true,
	.begin = begin,
	.event = event,
	.end = end,
	.destroy = destroy,
};
