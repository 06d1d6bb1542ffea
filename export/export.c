// SPDX-License-Identifier: MIT
// Passes the events of the timeline to the writers.
#include "export/export.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/cleanup.h"

const struct frec_writer *const frec__writers[] = {
	&frec__writer_perfetto,	   &frec__writer_json,
	&frec__writer_csv,	   &frec__writer_text,
	&frec__writer_chrome,	   &frec__writer_otlp,
	&frec__writer_otlp_traces, &frec__writer_ctf,
	&frec__writer_perf,	   &frec__writer_firefox,
	&frec__writer_html,	   &frec__writer_folded,
	&frec__writer_pprof,	   NULL,
};

const struct frec_writer *frec__writer_find(const char *name)
{
	for (size_t i = 0; frec__writers[i]; i++) {
		if (!strcmp(frec__writers[i]->name, name))
			return frec__writers[i];
	}
	return NULL;
}

static bool ends_in(const char *path, size_t length, const char *suffix)
{
	size_t end = suffix ? strlen(suffix) : SIZE_MAX;

	return end <= length && !memcmp(path + length - end, suffix, end);
}

static const struct frec_writer *writer_for(const char *path, size_t length)
{
	const struct frec_writer *best = NULL;
	size_t longest = 0;

	// The longest match wins, because one suffix can end in another.
	for (size_t i = 0; frec__writers[i]; i++) {
		const char *suffixes[] = {frec__writers[i]->suffix, frec__writers[i]->other_suffix};

		for (size_t k = 0; k < 2; k++) {
			if (ends_in(path, length, suffixes[k]) && strlen(suffixes[k]) > longest) {
				longest = strlen(suffixes[k]);
				best = frec__writers[i];
			}
		}
	}
	return best;
}

const struct frec_writer *frec__writer_for_path(const char *path)
{
	const struct frec_compression *compression = frec__compression_for_path(path);
	const struct frec_writer *writer = writer_for(path, strlen(path));

	// The suffix of a format may itself end in the suffix of a compression (.pb.gz), so try the
	// whole path first.
	if (!writer && compression)
		writer = writer_for(path, strlen(path) - strlen(compression->suffix));
	return writer;
}

// A writer and its state.
struct work {
	const struct frec_writer *writer;
	struct frec_export context;
	void *state;
	uint64_t limit; // how many bytes the output may have
};

// `progress` is called only once every so many events, because a call takes about as long as
// reading an event.
#define PROGRESS_EVERY 64

// Returns whether the output has become too large. If so, counts the event as left out.
static bool is_full(const struct work *work, const struct frec_event *event)
{
	const struct frec_writer *writer = work->writer;
	uint64_t size = frec__output_offset(work->context.output);

	if (writer->pending)
		size += writer->pending(work->state);
	if (size <= work->limit)
		return false;
	event->events->snapshot->left_out->events++;
	return true;
}

static int write_events(struct frec_timeline *timeline, struct work *works,
			const struct frec_export_job *job, struct frec_error *reterr)
{
	const struct frec_event *event;
	uint64_t number = 0;
	int r = 0;

	while (!r && (event = frec__timeline_next(timeline))) {
		for (size_t i = 0; i < job->target_count && !r; i++) {
			if (!is_full(&works[i], event))
				r = works[i].writer->event(works[i].state, event, reterr);
		}
		if (job->progress && number++ % PROGRESS_EVERY == 0) {
			uint64_t done, total;

			frec__timeline_progress(timeline, &done, &total);
			job->progress(job->progress_data, done, total);
		}
	}
	if (!r && timeline->failed)
		r = frec__error(reterr, timeline->failed, "out of memory");
	for (size_t i = 0; i < job->target_count && !r; i++) {
		if (works[i].writer->end)
			r = works[i].writer->end(works[i].state, reterr);
	}
	return r;
}

static int refuse(const struct frec_writer *writer, struct frec_error *reterr)
{
	char others[256] = "";

	for (size_t i = 0; frec__writers[i]; i++) {
		size_t used = strlen(others);

		if (frec__writers[i]->several_hosts)
			snprintf(others + used, sizeof(others) - used, "%s%s", used ? ", " : "",
				 frec__writers[i]->name);
	}
	return frec__error(
		reterr, -EINVAL,
		"%s cannot hold several hosts or boots: export the files of each separately, or "
		"choose another format (%s)",
		writer->name, others);
}

static int begin(struct work *work, const struct frec_timeline *timeline,
		 const struct frec_export_target *target, bool raw, struct frec_error *reterr)
{
	const struct frec_host *base = &timeline->hosts.hosts[timeline->hosts.base];

	work->writer = target->writer;
	work->limit = 0;
	for (size_t i = 0; i < timeline->file_count; i++)
		work->limit += FREC_LIMIT_OUTPUT(timeline->snapshots[i]->reader.size);
	if (timeline->hosts.count > 1 && !work->writer->several_hosts)
		return refuse(work->writer, reterr);
	work->context = (struct frec_export){
		.timeline = timeline,
		.snapshot = base->snapshot,
		.processes = &base->processes,
		.filter = &base->filter,
		.output = target->output,
		.raw = raw,
	};
	return work->writer->begin(&work->context, &work->state, reterr);
}

static int write_all(struct frec_timeline *timeline, const struct frec_export_job *job,
		     struct frec_error *reterr)
{
	FREC_FREE struct work *works = calloc(job->target_count, sizeof(*works));
	size_t begun = 0;
	int r = 0;

	if (!works)
		return frec__error(reterr, -ENOMEM, "out of memory");
	while (begun < job->target_count && !r) {
		r = begin(&works[begun], timeline, &job->targets[begun], job->raw, reterr);
		begun += !r;
	}
	if (!r)
		r = write_events(timeline, works, job, reterr);
	while (begun--)
		works[begun].writer->destroy(works[begun].state);
	return r;
}

int frec__export(const struct frec_export_job *job, struct frec_error *ret_warning,
		 struct frec_error *reterr)
{
	const struct frec_timeline_options options = {job->filter, job->rules, job->symbols};
	struct frec_timeline timeline;
	int r;

	ret_warning->code = 0;
	r = frec__timeline_init(&timeline, job->snapshots, job->snapshot_count, &options, reterr);
	if (r)
		return r;
	r = write_all(&timeline, job, reterr);
	*ret_warning = *frec__timeline_problem(&timeline);
	for (size_t i = 0; i < job->snapshot_count; i++)
		frec__left_out_error(job->snapshots[i]->left_out, job->snapshots[i]->name,
				     ret_warning);
	for (size_t i = 0; i < job->target_count && !r && !ret_warning->code; i++) {
		const struct frec_writer *writer = job->targets[i].writer;

		if (writer->of_stacks && !timeline.stack_numbers.stacks)
			frec__error(ret_warning, -ENODATA,
				    "%s: %s: no event has a call stack: record with --stack",
				    job->snapshots[0]->name, writer->name);
	}
	frec__timeline_deinit(&timeline);
	return r;
}
