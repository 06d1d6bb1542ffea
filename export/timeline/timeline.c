// SPDX-License-Identifier: MIT
// Merges the events of several files. There are seldom more than a handful, so their next events
// are compared one by one. The events of a single file pass through in their order.
#include "export/read/clocks.h"
#include "export/timeline/shape_plans.h"
#include "export/timeline/timeline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool same_recording(const struct frec_timeline *timeline, size_t a, size_t b)
{
	const Flightrec__Header *x = timeline->snapshots[a]->header;
	const Flightrec__Header *y = timeline->snapshots[b]->header;

	return timeline->files[a].host == timeline->files[b].host &&
	       x->recording_since == y->recording_since && x->ring_size == y->ring_size;
}

// Lets files of one recording share a struct frec_duplicates. Returns 0, or -E2BIG if a recording
// has too many files.
static int find_recordings(struct frec_timeline *timeline, struct frec_error *reterr)
{
	for (size_t i = 1; i < timeline->file_count; i++) {
		for (size_t k = 0; k < i; k++) {
			struct frec_timeline_file *earlier = &timeline->files[k];

			if (!same_recording(timeline, k, i))
				continue;
			earlier->duplicates = &timeline->duplicates[k];
			timeline->files[i].duplicates = earlier->duplicates;
			timeline->files[i].number = earlier->number + 1;
			for (size_t m = k + 1; m < i; m++)
				timeline->files[i].number += same_recording(timeline, k, m);
			break;
		}
		if (timeline->files[i].number >= FREC_DUPLICATES_FILES_MAX)
			return frec__error(reterr, -E2BIG,
					   "%s: more than %d snapshots of one recording: export "
					   "fewer at a time",
					   timeline->snapshots[i]->name, FREC_DUPLICATES_FILES_MAX);
	}
	return 0;
}

static uint64_t shifted_back(uint64_t time, uint64_t shift)
{
	if (time == UINT64_MAX)
		return time;
	return time > shift ? time - shift : 0;
}

// The bounds of time in the options refer to the first file. Converts them for the other files and
// for the hosts.
static void align_filters(struct frec_timeline *timeline)
{
	const struct frec_filter *first = &timeline->files[0].events.filter;
	uint64_t shift = timeline->files[0].host->shift;
	uint64_t from = first->from ? first->from + shift : 0;
	uint64_t to = first->to == UINT64_MAX ? first->to : first->to + shift;

	for (size_t i = 0; i < timeline->file_count; i++) {
		struct frec_events *events = &timeline->files[i].events;

		events->filter.from = shifted_back(from, timeline->files[i].host->shift);
		events->filter.to = shifted_back(to, timeline->files[i].host->shift);
		events->merge.from = events->filter.from;
		events->merge.to = events->filter.to;
		// A host's filter wants every source that the filter of one of its files wants.
		for (size_t k = 0; k < events->snapshot->source_count; k++) {
			if (events->filter.sources[k])
				timeline->hosts.hosts[timeline->hosts.host_of[i]]
					.filter.sources[timeline->files[i].sources[k]] = true;
		}
	}
	for (size_t i = 0; i < timeline->hosts.count; i++) {
		struct frec_host *host = &timeline->hosts.hosts[i];

		host->filter.from = shifted_back(from, host->shift);
		host->filter.to = shifted_back(to, host->shift);
	}
}

int frec__timeline_init(struct frec_timeline *timeline, struct frec_snapshot *const *snapshots,
			size_t count, const struct frec_timeline_options *options,
			struct frec_error *reterr)
{
	int r = frec__filter_check(snapshots, count, options->filter, reterr);

	*timeline = (struct frec_timeline){
		.snapshots = snapshots,
		.files = calloc(count, sizeof(*timeline->files)),
		.duplicates = calloc(count, sizeof(*timeline->duplicates)),
		.file_count = count,
	};
	if (!r && (!timeline->files || !timeline->duplicates))
		r = frec__error(reterr, -ENOMEM, "out of memory");
	if (!r)
		r = frec__hosts_init(&timeline->hosts, snapshots, count, options->filter, reterr);
	for (size_t i = 0; i < count && !r; i++) {
		struct frec_timeline_file *file = &timeline->files[i];

		file->host = &timeline->hosts.hosts[timeline->hosts.host_of[i]];
		file->sources = timeline->hosts.sources[i];
		r = frec__events_init(&file->events, snapshots[i], options->filter,
				      options->symbols, reterr);
		if (!r)
			frec__stacks_share(file->events.stacks, &timeline->stack_numbers);
	}
	if (!r)
		r = find_recordings(timeline, reterr);
	if (!r)
		align_filters(timeline);
	if (!r)
		r = frec__shapes_init(&timeline->shapes, &timeline->hosts, reterr);
	if (!r)
		r = frec__shapes_plan(&timeline->shapes, options->rules, reterr);
	if (r) {
		frec__timeline_deinit(timeline);
		return r;
	}
	timeline->reference =
		frec__snapshot_reference(snapshots[0]) + timeline->files[0].host->shift;
	return 0;
}

// Returns whether the next event of `a` comes before that of `b`. If their times and CPUs are
// equal, the files take turns, so that copies come close to each other.
static bool before(const struct frec_timeline_file *a, const struct frec_timeline_file *b)
{
	uint64_t x = a->head->record->time + a->host->shift;
	uint64_t y = b->head->record->time + b->host->shift;

	if (x != y)
		return x < y;
	if (a->head->record->cpu != b->head->record->cpu)
		return a->head->record->cpu < b->head->record->cpu;
	return a->turn < b->turn;
}

// Returns whether another file had the same record. Sets `failed` if memory runs out.
static bool is_copy(struct frec_timeline *timeline, struct frec_timeline_file *file)
{
	int r;

	if (!file->duplicates)
		return false;
	r = frec__duplicates_check(
		file->duplicates, file->number, frec__merge_ring(&file->events.merge),
		file->sources[file->head->record->source_index], file->head->record);
	if (r < 0)
		timeline->failed = r;
	timeline->copies += r > 0;
	return r > 0;
}

static void set_event(struct frec_timeline *timeline, const struct frec_timeline_file *file)
{
	struct frec_event *event = &timeline->event;

	*event = *file->head;
	event->host = file->host;
	event->time += file->host->shift;
	event->source_index = file->sources[event->source_index];
}

static bool next_of_several(struct frec_timeline *timeline)
{
	if (!timeline->turn) {
		for (size_t i = 0; i < timeline->file_count; i++)
			timeline->files[i].head = frec__events_next(&timeline->files[i].events);
	} else if (timeline->last) {
		// The event that was returned last had to stay valid until now.
		timeline->last->head = frec__events_next(&timeline->last->events);
	}
	for (;;) {
		struct frec_timeline_file *first = NULL;

		for (size_t i = 0; i < timeline->file_count; i++) {
			struct frec_timeline_file *file = &timeline->files[i];

			if (file->head && (!first || before(file, first)))
				first = file;
		}
		timeline->last = first;
		if (!first)
			return false;
		first->turn = ++timeline->turn;
		if (!is_copy(timeline, first)) {
			set_event(timeline, first);
			return !timeline->failed;
		}
		first->head = frec__events_next(&first->events);
	}
}

const struct frec_event *frec__timeline_next(struct frec_timeline *timeline)
{
	struct frec_event *event = &timeline->event;
	const struct frec_event *next;

	if (timeline->file_count > 1) {
		if (!next_of_several(timeline))
			return NULL;
	} else {
		next = frec__events_next(&timeline->files[0].events);
		if (!next)
			return NULL;
		*event = *next;
		event->host = timeline->files[0].host;
	}
	event->shape = frec__shapes_of(&timeline->shapes, event);
	if (timeline->shapes.failed)
		timeline->failed = -ENOMEM;
	return timeline->failed ? NULL : event;
}

const struct frec_error *frec__timeline_problem(const struct frec_timeline *timeline)
{
	for (size_t i = 0; i < timeline->file_count; i++) {
		const struct frec_error *problem = frec__events_problem(&timeline->files[i].events);

		if (problem->code)
			return problem;
	}
	return frec__events_problem(&timeline->files[0].events);
}

void frec__timeline_progress(const struct frec_timeline *timeline, uint64_t *ret_done,
			     uint64_t *ret_total)
{
	*ret_done = *ret_total = 0;
	for (size_t i = 0; i < timeline->file_count; i++) {
		*ret_done += timeline->files[i].events.merge.bytes_done;
		*ret_total += timeline->files[i].events.merge.bytes_total;
	}
}

void frec__timeline_deinit(struct frec_timeline *timeline)
{
	for (size_t i = 0; i < timeline->file_count; i++) {
		if (timeline->files)
			frec__events_deinit(&timeline->files[i].events);
		if (timeline->duplicates)
			frec__duplicates_free(&timeline->duplicates[i]);
	}
	free(timeline->files);
	free(timeline->duplicates);
	frec__shapes_deinit(&timeline->shapes); // before the hosts, to which the shapes refer
	frec__hosts_deinit(&timeline->hosts);
	*timeline = (struct frec_timeline){0};
}
