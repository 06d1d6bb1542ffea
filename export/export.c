// SPDX-License-Identifier: MIT
// The loop from the events to the writers.
#include "export/export.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

	// The longest suffix: one can end in another.
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

	// A format can have the ending of a compression in its own.
	if (!writer && compression)
		writer = writer_for(path, strlen(path) - strlen(compression->suffix));
	return writer;
}

// A writer at work.
struct work {
	const struct frec_writer *writer;
	struct frec_export context;
	void *state;
};

// Events after which progress is told again: telling it takes about as long as reading one.
#define PROGRESS_EVERY 64

static int write_events(struct frec_timeline *timeline, struct work *works, size_t count,
			const struct frec_export_options *options, struct frec_error *reterr)
{
	const struct frec_event *event;
	uint64_t number = 0;
	int result = 0;

	while (!result && (event = frec__timeline_next(timeline))) {
		for (size_t i = 0; i < count && !result; i++)
			result = works[i].writer->event(works[i].state, event, reterr);
		if (options && options->progress && number++ % PROGRESS_EVERY == 0) {
			uint64_t done, total;

			frec__timeline_progress(timeline, &done, &total);
			options->progress(options->progress_data, done, total);
		}
	}
	if (!result && timeline->failed)
		result = frec__error(reterr, timeline->failed, "out of memory");
	for (size_t i = 0; i < count && !result; i++) {
		if (works[i].writer->end)
			result = works[i].writer->end(works[i].state, reterr);
	}
	return result;
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
		"%s has no room for several hosts or boots: export the files of each alone, or "
		"choose another format (%s)",
		writer->name, others);
}

static int begin(struct work *work, const struct frec_timeline *timeline,
		 const struct frec_export_target *target, struct frec_error *reterr)
{
	const struct frec_host *base = &timeline->hosts.hosts[timeline->hosts.base];

	work->writer = target->writer;
	if (timeline->hosts.count > 1 && !work->writer->several_hosts)
		return refuse(work->writer, reterr);
	work->context = (struct frec_export){
		.timeline = timeline,
		.snapshot = base->snapshot,
		.processes = &base->processes,
		.filter = &base->filter,
		.output = target->output,
	};
	return work->writer->begin(&work->context, &work->state, reterr);
}

static int write_all(struct frec_timeline *timeline, const struct frec_export_target *targets,
		     size_t count, const struct frec_export_options *options,
		     struct frec_error *reterr)
{
	struct work *works = calloc(count, sizeof(*works));
	size_t begun = 0;
	int result = 0;

	if (!works)
		return frec__error(reterr, -ENOMEM, "out of memory");
	while (begun < count && !result) {
		result = begin(&works[begun], timeline, &targets[begun], reterr);
		begun += !result;
	}
	if (!result)
		result = write_events(timeline, works, count, options, reterr);
	while (begun--)
		works[begun].writer->destroy(works[begun].state);
	free(works);
	return result;
}

int frec__export(struct frec_snapshot *const *snapshots, size_t snapshot_count,
		 const struct frec_export_target *targets, size_t count,
		 const struct frec_export_options *options, struct frec_error *ret_trouble,
		 struct frec_error *reterr)
{
	const struct frec_timeline_options timeline_options = {
		.filter = options ? options->filter : NULL,
		.rules = options ? options->rules : NULL,
		.symbols = options ? options->symbols : NULL,
	};
	struct frec_timeline timeline;
	int result;

	ret_trouble->code = 0;
	result = frec__timeline_init(&timeline, snapshots, snapshot_count, &timeline_options,
				     reterr);
	if (result)
		return result;
	result = write_all(&timeline, targets, count, options, reterr);
	*ret_trouble = *frec__timeline_problem(&timeline);
	for (size_t i = 0; i < count && !result && !ret_trouble->code; i++) {
		if (targets[i].writer->of_stacks && !timeline.stack_numbers.stacks)
			frec__error(ret_trouble, -ENODATA,
				    "%s: %s: no event has a call stack: record with --stack",
				    snapshots[0]->name, targets[i].writer->name);
	}
	frec__timeline_deinit(&timeline);
	return result;
}
