// SPDX-License-Identifier: MIT
// Shows what the file covers: a track for each ring with one slice, from the first to the last
// moment for which the file is complete. The slice's arguments are the numbers of events of each
// source that are missing.
#include "export/perfetto/coverage.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "export/perfetto/annotations.h"

static int write_track(struct frec_perfetto *perfetto, uint64_t uuid, uint64_t parent,
		       const char *name, struct frec_error *reterr)
{
	Perfetto__Protos__TracePacket packet = PERFETTO__PROTOS__TRACE_PACKET__INIT;
	Perfetto__Protos__TrackDescriptor track = PERFETTO__PROTOS__TRACK_DESCRIPTOR__INIT;
	int is_new = frec__perfetto_is_new(perfetto, uuid);

	if (is_new < 0)
		return frec__error(reterr, is_new, "out of memory");
	track.has_uuid = true;
	track.uuid = uuid;
	track.has_parent_uuid = parent != 0;
	track.parent_uuid = parent;
	track.name = frec__arena_utf8(&perfetto->arena, name, strlen(name), "");
	packet.track_descriptor = &track;
	return frec__perfetto_write(perfetto, &packet, reterr);
}

static void add_number(struct frec_arena *arena, struct frec_annotations *annotations,
		       const char *name, uint64_t value)
{
	Perfetto__Protos__DebugAnnotation *annotation =
		frec__annotation_add(arena, annotations, name);

	if (!annotation)
		return;
	annotation->value_case = PERFETTO__PROTOS__DEBUG_ANNOTATION__VALUE_UINT_VALUE;
	annotation->uint_value = value;
}

static int by_ring(const void *a, const void *b)
{
	const Flightrec__Loss *const *x = a, *const *y = b;

	if ((*x)->cpu != (*y)->cpu)
		return ((*x)->cpu > (*y)->cpu) - ((*x)->cpu < (*y)->cpu);
	return ((*x)->ring > (*y)->ring) - ((*x)->ring < (*y)->ring);
}

// The losses of a file, sorted by CPU and ring.
struct ring_losses {
	const Flightrec__Loss **sorted;
	size_t count;
};

static bool sort_losses(struct ring_losses *losses, const struct frec_snapshot *snapshot)
{
	*losses = (struct ring_losses){calloc(snapshot->loss_count + 1, sizeof(*losses->sorted)),
				       snapshot->loss_count};
	for (size_t i = 0; losses->sorted && i < losses->count; i++)
		losses->sorted[i] = snapshot->losses[i];
	if (losses->sorted)
		qsort(losses->sorted, losses->count, sizeof(*losses->sorted), by_ring);
	return losses->sorted;
}

// Adds how many events of each of the ring's sources are missing. Returns how many were lost.
// Overwritten events do not count as lost, because they are older than the slice.
static uint64_t add_losses(struct frec_perfetto *perfetto, const struct frec_snapshot *snapshot,
			   const struct ring_losses *losses, const Flightrec__CpuCoverage *cpu,
			   struct frec_annotations *annotations)
{
	const Flightrec__Loss wanted = {.cpu = cpu->cpu, .ring = cpu->ring}, *key = &wanted;
	size_t low = 0, high = losses->count;
	uint64_t lost = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (by_ring(&losses->sorted[middle], &key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t i = low; i < losses->count && !by_ring(&losses->sorted[i], &key); i++) {
		const Flightrec__Loss *loss = losses->sorted[i];
		size_t index = frec__snapshot_source(snapshot, loss->source);
		char name[2 * FREC_LIMIT_NAME + 32];

		if (index == SIZE_MAX || !(loss->lost | loss->overwritten))
			continue;
		lost += loss->lost;
		snprintf(name, sizeof(name), "%s:%s overwritten", snapshot->sources[index]->system,
			 snapshot->sources[index]->name);
		if (loss->overwritten)
			add_number(&perfetto->arena, annotations, name, loss->overwritten);
		snprintf(name, sizeof(name), "%s:%s lost", snapshot->sources[index]->system,
			 snapshot->sources[index]->name);
		if (loss->lost)
			add_number(&perfetto->arena, annotations, name, loss->lost);
	}
	return lost;
}

static int begin_slice(struct frec_perfetto *perfetto, uint64_t time, uint64_t track, char *name,
		       const struct frec_annotations *annotations, struct frec_error *reterr)
{
	Perfetto__Protos__TracePacket packet = PERFETTO__PROTOS__TRACE_PACKET__INIT;
	Perfetto__Protos__TrackEvent event = PERFETTO__PROTOS__TRACK_EVENT__INIT;
	char *category = "flightrec";

	event.has_track_uuid = event.has_type = true;
	event.track_uuid = track;
	event.type = PERFETTO__PROTOS__TRACK_EVENT__TYPE__TYPE_SLICE_BEGIN;
	event.name = name;
	event.categories = &category;
	event.n_categories = 1;
	event.debug_annotations = annotations->items;
	event.n_debug_annotations = annotations->count;
	packet.has_timestamp = true;
	packet.timestamp = time;
	packet.track_event = &event;
	return frec__perfetto_write(perfetto, &packet, reterr);
}

static int write_ring(struct frec_perfetto *perfetto, const struct frec_timeline_file *file,
		      const struct ring_losses *losses, const Flightrec__CpuCoverage *cpu,
		      uint64_t track, struct frec_error *reterr)
{
	const struct frec_snapshot *snapshot = file->events.snapshot;
	uint64_t from = cpu->from + file->host->shift, until = cpu->until + file->host->shift;
	struct frec_annotations annotations = {0};
	char name[64] = "covered";
	uint64_t lost;
	int r;

	add_number(&perfetto->arena, &annotations, "ring_size", cpu->ring_size);
	add_number(&perfetto->arena, &annotations, "wrapped", cpu->wrapped);
	lost = add_losses(perfetto, snapshot, losses, cpu, &annotations);
	if (lost)
		snprintf(name, sizeof(name), "covered, but %" PRIu64 " lost", lost);
	r = begin_slice(perfetto, from, track, name, &annotations, reterr);
	return r ? r
		 : frec__perfetto_end_slice(perfetto, until > from ? until : from, track, reterr);
}

int frec__perfetto_write_coverage(struct frec_perfetto *perfetto,
				  const struct frec_timeline_file *file, size_t number,
				  struct frec_error *reterr)
{
	const struct frec_snapshot *snapshot = file->events.snapshot;
	uint32_t first = (uint32_t)number << 16;
	uint64_t parent;
	char name[512] = "flightrec coverage";
	struct ring_losses losses;
	int r;

	if (!snapshot->cpu_count)
		return 0;
	if (!sort_losses(&losses, snapshot))
		return frec__error(reterr, -ENOMEM, "out of memory");
	perfetto->host = file->host;
	parent = frec__perfetto_uuid(file->host, FREC_PERFETTO_COVERAGE, first);
	if (perfetto->context->timeline->file_count > 1)
		snprintf(name, sizeof(name), "flightrec coverage of %s", snapshot->name);
	r = write_track(perfetto, parent, 0, name, reterr);
	for (size_t i = 0; i < snapshot->cpu_count && i < UINT16_MAX && !r; i++) {
		const Flightrec__CpuCoverage *cpu = snapshot->cpus[i];
		uint64_t uuid = parent + i + 1;

		snprintf(name, sizeof(name), "cpu %" PRId32, (int32_t)cpu->cpu);
		if (cpu->ring)
			snprintf(name + strlen(name), sizeof(name) - strlen(name), " shm %" PRIu32,
				 cpu->ring);
		r = write_track(perfetto, uuid, parent, name, reterr);
		if (!r)
			r = write_ring(perfetto, file, &losses, cpu, uuid, reterr);
	}
	free(losses.sorted);
	return r;
}
