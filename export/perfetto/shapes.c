// SPDX-License-Identifier: MIT
// Writes what an event's shape needs beside the event: tracks of lanes and counters, values of
// counters, ends of abandoned spans, and the begin of a cut span.
#include "export/perfetto/shapes.h"

#include <errno.h>

#include "export/perfetto/annotations.h"
#include "export/perfetto/event.h"

const char *frec__perfetto_span_name(const struct frec_perfetto *perfetto,
				     const struct frec_host *host, size_t source)
{
	const struct frec_shapes *shapes = &perfetto->context->timeline->shapes;
	const struct frec_shapes_plan *plan = shapes->plans[host->index][source];

	return plan && plan->kind == FREC_SHAPE_BEGIN ? shapes->spans[plan->span].name : NULL;
}

// Describes a track, unless it is described already, with the track of its process as its parent if
// there is one.
static int describe(struct frec_perfetto *perfetto, uint64_t uuid, uint32_t pid, const char *name,
		    Perfetto__Protos__CounterDescriptor *counter, struct frec_error *reterr)
{
	Perfetto__Protos__TracePacket packet = PERFETTO__PROTOS__TRACE_PACKET__INIT;
	Perfetto__Protos__TrackDescriptor track = PERFETTO__PROTOS__TRACK_DESCRIPTOR__INIT;
	uint64_t process = frec__perfetto_uuid(perfetto->host, FREC_PERFETTO_PROCESS, pid);
	int is_new = frec__perfetto_is_new(perfetto, uuid);

	if (is_new < 0)
		return frec__error(reterr, is_new, "out of memory");
	if (!is_new)
		return 0;
	track.has_uuid = true;
	track.uuid = uuid;
	track.has_parent_uuid = frec__table_get(&perfetto->described, process) != NULL;
	track.parent_uuid = process;
	track.name = frec__arena_utf8(&perfetto->arena, name, strlen(name), "");
	track.counter = counter;
	packet.track_descriptor = &track;
	return frec__perfetto_write(perfetto, &packet, reterr);
}

// Writes, in place of an event that is missing, the begin of the slice of span `begun`, or if that
// is NULL, the end of a slice. The annotation `why` says what is missing.
static int write_edge(struct frec_perfetto *perfetto, uint64_t time, uint64_t track,
		      const struct frec_span *begun, const char *why, struct frec_error *reterr)
{
	Perfetto__Protos__TracePacket packet = PERFETTO__PROTOS__TRACE_PACKET__INIT;
	Perfetto__Protos__TrackEvent event = PERFETTO__PROTOS__TRACK_EVENT__INIT;
	struct frec_annotations annotations = {0};
	char *category = begun ? begun->system : NULL;

	frec__annotation_add_string(&perfetto->arena, &annotations, "flightrec", why);
	event.has_track_uuid = event.has_type = true;
	event.track_uuid = track;
	event.type = begun ? PERFETTO__PROTOS__TRACK_EVENT__TYPE__TYPE_SLICE_BEGIN
			   : PERFETTO__PROTOS__TRACK_EVENT__TYPE__TYPE_SLICE_END;
	if (begun) {
		event.name =
			frec__arena_utf8(&perfetto->arena, begun->name, strlen(begun->name), "");
		category = frec__arena_utf8(&perfetto->arena, category, strlen(category), "");
		event.categories = &category;
		event.n_categories = 1;
	}
	event.debug_annotations = annotations.items;
	event.n_debug_annotations = annotations.count;
	packet.has_timestamp = true;
	packet.timestamp = time;
	packet.track_event = &event;
	return frec__perfetto_write(perfetto, &packet, reterr);
}

int frec__perfetto_before(struct frec_perfetto *perfetto, const struct frec_event *event,
			  uint64_t thread_track, uint64_t *ret_track, struct frec_error *reterr)
{
	const struct frec_shapes *shapes = &perfetto->context->timeline->shapes;
	const struct frec_shape *shape = event->shape;
	uint64_t track = thread_track;
	int r = 0;

	for (size_t i = 0; i < shape->abandoned && !r; i++)
		r = write_edge(perfetto, event->time, thread_track, NULL, "its end is not there",
			       reterr);
	if (!r && shape->lane) {
		const struct frec_lane *lane = &shapes->lanes[shape->lane];

		// The track belongs to the process in which the span began; the span may end in
		// another.
		track = frec__perfetto_uuid(event->host, FREC_PERFETTO_LANE, shape->lane);
		r = describe(perfetto, track, lane->pid, shapes->spans[lane->span].name, NULL,
			     reterr);
	}
	if (!r && shape->cut)
		r = write_edge(perfetto, shape->begin, track, &shapes->spans[shape->span],
			       "its begin is not there", reterr);
	*ret_track = track;
	return r;
}

int frec__perfetto_after(struct frec_perfetto *perfetto, const struct frec_event *event,
			 struct frec_error *reterr)
{
	const struct frec_shapes *shapes = &perfetto->context->timeline->shapes;
	const struct frec_shape *shape = event->shape;
	uint32_t pid = event->who ? event->who->process->pid : event->record->pid;
	Perfetto__Protos__CounterDescriptor counter = PERFETTO__PROTOS__COUNTER_DESCRIPTOR__INIT;
	int r = 0;

	for (size_t i = 0; i < shape->counter_count && !r; i++) {
		uint32_t number = shape->counters[i].number;
		uint64_t key = frec__table_mix(frec__table_mix(number, event->host->index), pid);
		bool is_new;
		uint32_t *index = frec__table_put(&perfetto->counters, key, &is_new);
		uint64_t track;

		if (!index)
			return frec__error(reterr, -ENOMEM, "out of memory");
		if (is_new)
			*index = (uint32_t)perfetto->counters.count;
		track = frec__perfetto_uuid(event->host, FREC_PERFETTO_COUNTER, *index);
		r = describe(perfetto, track, pid, shapes->counters[number].name, &counter, reterr);
		if (!r)
			r = frec__perfetto_write_value(perfetto, event->time, track,
						       shape->counters[i].value, reterr);
	}
	return r;
}
