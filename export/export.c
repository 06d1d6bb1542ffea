// SPDX-License-Identifier: MIT
// The loop from the merged records to a writer.
#include "export/export.h"

#include <errno.h>
#include <string.h>

#include "export/merge.h"

static const struct frec_writer *const writers[] = {&frec__writer_perfetto, &frec__writer_json};

const struct frec_writer *frec__writer_find(const char *name)
{
	for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
		if (!strcmp(writers[i]->name, name))
			return writers[i];
	}
	return NULL;
}

static bool ends_in(const char *path, const char *suffix)
{
	size_t length = strlen(path), end = suffix ? strlen(suffix) : SIZE_MAX;

	return end <= length && !strcmp(path + length - end, suffix);
}

const struct frec_writer *frec__writer_for_path(const char *path)
{
	for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
		if (ends_in(path, writers[i]->suffix) || ends_in(path, writers[i]->other_suffix))
			return writers[i];
	}
	return NULL;
}

static int write_events(struct frec_export *context, struct frec_merge *merge,
			const struct frec_writer *writer, const struct frec_export_options *options,
			struct frec_error *reterr)
{
	const struct frec_record *record;
	void *state;
	int result;

	result = writer->begin(context, &state, reterr);
	if (result)
		return result;
	while (!result && (record = frec__merge_next(merge))) {
		struct frec_export_event event = {
			.record = record,
			.who = frec__processes_find(&context->processes, record->tid, record->time),
		};

		result = writer->event(state, &event, reterr);
		if (options && options->progress)
			options->progress(options->progress_data, merge->bytes_done,
					  merge->bytes_total);
	}
	if (!result)
		result = writer->end(state, reterr);
	writer->destroy(state);
	return result;
}

int frec__export(struct frec_snapshot *snapshot, const struct frec_writer *writer,
		 struct frec_output *output, const struct frec_export_options *options,
		 struct frec_error *ret_trouble, struct frec_error *reterr)
{
	struct frec_export context = {.snapshot = snapshot, .output = output};
	struct frec_merge merge;
	int result;

	ret_trouble->code = 0;
	result = frec__processes_init(&context.processes, snapshot);
	if (result)
		return frec__error(reterr, result, "%s: out of memory", snapshot->name);
	result = frec__merge_init(&merge, snapshot);
	if (result) {
		frec__processes_deinit(&context.processes);
		return frec__error(reterr, result, "%s: out of memory", snapshot->name);
	}
	result = write_events(&context, &merge, writer, options, reterr);
	if (merge.trouble.code)
		*ret_trouble = merge.trouble;
	else if (snapshot->damage.code)
		*ret_trouble = snapshot->damage;
	frec__merge_deinit(&merge);
	frec__processes_deinit(&context.processes);
	return result;
}
