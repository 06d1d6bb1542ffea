// SPDX-License-Identifier: MIT
// The outputs of one pass: which format goes to which file.
#include "tools/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "tools/cli.h"

int frec__outputs_init(struct frec_outputs *outputs, size_t most)
{
	*outputs = (struct frec_outputs){
		.wanted = calloc(most, sizeof(*outputs->wanted)),
		.targets = calloc(most, sizeof(*outputs->targets)),
	};
	if (outputs->wanted && outputs->targets)
		return 0;
	frec__outputs_deinit(outputs);
	return -ENOMEM;
}

void frec__outputs_deinit(struct frec_outputs *outputs)
{
	free(outputs->wanted);
	free(outputs->targets);
	*outputs = (struct frec_outputs){0};
}

bool frec__outputs_format(struct frec_outputs *outputs, const char *name)
{
	if (outputs->writer)
		frec__outputs_path(outputs, NULL);
	outputs->writer = frec__writer_find(name);
	return outputs->writer;
}

bool frec__outputs_compress(struct frec_outputs *outputs, const char *name)
{
	if (outputs->compression)
		frec__outputs_path(outputs, NULL);
	outputs->compression = frec__compression_find(name);
	return outputs->compression;
}

void frec__outputs_path(struct frec_outputs *outputs, const char *path)
{
	struct frec_wanted *wanted = &outputs->wanted[outputs->count++];

	wanted->writer = outputs->writer;
	wanted->compression = outputs->compression;
	wanted->path = path;
	outputs->writer = NULL;
	outputs->compression = NULL;
}

void frec__outputs_endpoint(struct frec_outputs *outputs, const char *url)
{
	frec__outputs_path(outputs, url);
	outputs->wanted[outputs->count - 1].endpoint = true;
}

static bool path_ends_in(const char *url, const char *path)
{
	size_t length = strcspn(url, "?#"), end = strlen(path);

	return length > end && !memcmp(url + length - end, path, end);
}

// An endpoint gets both logs and traces, unless its URL names one of them.
static void settle_endpoint(struct frec_outputs *outputs, size_t index)
{
	struct frec_wanted *wanted = &outputs->wanted[index];

	wanted->writer = &frec__writer_otlp;
	if (path_ends_in(wanted->path, frec__writer_otlp.collector_path))
		return;
	if (path_ends_in(wanted->path, frec__writer_otlp_traces.collector_path)) {
		wanted->writer = &frec__writer_otlp_traces;
		return;
	}
	wanted->base = true;
	outputs->wanted[outputs->count] = *wanted;
	outputs->wanted[outputs->count++].writer = &frec__writer_otlp_traces;
}

static void default_name(struct frec_wanted *wanted, const char *input)
{
	size_t length = strlen(input);

	if (length > 5 && !strcmp(input + length - 5, ".frec"))
		length -= 5;
	snprintf(wanted->name, sizeof(wanted->name), "%.*s%s", (int)length, input,
		 wanted->writer->suffix);
	if (wanted->compression && frec__compression_for_path(wanted->name) != wanted->compression)
		strncat(wanted->name, wanted->compression->suffix,
			sizeof(wanted->name) - strlen(wanted->name) - 1);
	wanted->path = wanted->name;
}

int frec__outputs_settle(struct frec_outputs *outputs, const char *input, const char *usage)
{
	size_t streams = 0;

	// If there is only one -o, its -f and --compress may also come after it.
	if (outputs->count == 1 && outputs->writer && !outputs->wanted[0].writer) {
		outputs->wanted[0].writer = outputs->writer;
		outputs->writer = NULL;
	}
	if (outputs->count == 1 && outputs->compression && !outputs->wanted[0].compression) {
		outputs->wanted[0].compression = outputs->compression;
		outputs->compression = NULL;
	}
	// A -f that no -o follows is refused if one of the -o has no format. Otherwise `-o a -f x
	// -o b -f y` would give b the format that was meant for a, and write y to a name that
	// nobody requested.
	for (size_t i = 0; outputs->writer && i < outputs->count; i++) {
		if (outputs->wanted[i].path && !outputs->wanted[i].writer)
			return frec__cli_usage(usage,
					       "-f %s: no -o follows it; a format stands before "
					       "the -o that it is for",
					       outputs->writer->name);
	}
	if (outputs->writer || outputs->compression || !outputs->count)
		frec__outputs_path(outputs, NULL);
	for (size_t i = 0; i < outputs->count; i++) {
		struct frec_wanted *wanted = &outputs->wanted[i];

		if (!wanted->writer && wanted->endpoint)
			settle_endpoint(outputs, i);
		else if (!wanted->writer && wanted->path)
			wanted->writer = frec__writer_for_path(wanted->path);
		if (!wanted->writer)
			wanted->writer = frec__writers[0];
		if (!wanted->path)
			default_name(wanted, input);
		if (!wanted->compression && !wanted->endpoint)
			wanted->compression = frec__compression_for_path(wanted->path);
		if (wanted->compression && wanted->writer->kind != FREC_OUTPUT_STREAM)
			return frec__cli_usage(usage,
					       "%s: %s cannot be compressed while it is written",
					       wanted->path, wanted->writer->name);
		if (wanted->endpoint && wanted->compression &&
		    strcmp(wanted->compression->name, "gzip") != 0)
			return frec__cli_usage(usage, "--endpoint: collectors know gzip alone");
		if (wanted->endpoint && !wanted->writer->collector_path)
			return frec__cli_usage(
				usage,
				"--endpoint: a collector takes -f otlp and otlp-traces, not %s",
				wanted->writer->name);
		if (!strcmp(wanted->path, "-")) {
			streams++;
			if (wanted->writer->kind != FREC_OUTPUT_STREAM)
				return frec__cli_usage(usage,
						       "%s cannot be written to standard output: "
						       "name a %s with -o",
						       wanted->writer->name,
						       wanted->writer->kind == FREC_OUTPUT_FOLDER
							       ? "folder"
							       : "file");
		}
		for (size_t k = 0; k < i; k++) {
			bool other =
				wanted->endpoint && outputs->wanted[k].writer != wanted->writer;

			if (!strcmp(outputs->wanted[k].path, wanted->path) && streams < 2 && !other)
				return frec__cli_usage(usage, "%s: two outputs of one name",
						       wanted->path);
		}
	}
	return streams < 2 ? FREC_EXIT_DONE : frec__cli_usage(usage, "one -o - only");
}

// Returns whether this is a named pipe of a user who is neither this one nor root, and who could
// read what is written to it. A pipe without a name is no danger even if another user made it, as
// in `sudo flightrec export -o /dev/stdout | less`: whoever started the command passed the pipe to
// it. Sets *ret to the status of the file.
static bool is_strangers_pipe(const char *path, struct stat *ret)
{
	struct statfs system;

	return !stat(path, ret) && S_ISFIFO(ret->st_mode) && ret->st_uid &&
	       ret->st_uid != geteuid() && !statfs(path, &system) && system.f_type != PIPEFS_MAGIC;
}

static int open_device(struct frec_wanted *wanted, struct frec_error *reterr)
{
	struct stat status;
	int r = frec__check_links(wanted->path, reterr);

	if (r)
		return r;
	if (is_strangers_pipe(wanted->path, &status))
		return frec__error(reterr, -EPERM,
				   "%s: this pipe belongs to user %u, and nothing is written to it",
				   wanted->path, status.st_uid);
	wanted->device = open(wanted->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (wanted->device < 0)
		return frec__error(reterr, -errno, "%s: cannot open it: %s", wanted->path,
				   strerror(errno));
	wanted->is_device = true;
	return frec__output_open_stream(&wanted->output, wanted->device, reterr);
}

static bool is_device(const char *path)
{
	struct stat status;

	return !stat(path, &status) && (S_ISCHR(status.st_mode) || S_ISFIFO(status.st_mode));
}

static int open_plain(const struct frec_outputs *outputs, struct frec_wanted *wanted,
		      struct frec_error *reterr)
{
	const struct frec_collector_options collector = {.url = wanted->path,
							 .path = wanted->writer->collector_path,
							 .base = wanted->base,
							 .headers = outputs->headers,
							 .patience = outputs->patience,
							 .compression = wanted->compression};

	if (wanted->endpoint)
		return frec__output_open_collector(&wanted->output, &collector, reterr);
	if (!strcmp(wanted->path, "-"))
		return frec__output_open_stream(&wanted->output, STDOUT_FILENO, reterr);
	if (wanted->writer->kind == FREC_OUTPUT_FOLDER)
		return frec__output_open_folder(&wanted->output, wanted->path, reterr);
	if (wanted->writer->kind == FREC_OUTPUT_STREAM && is_device(wanted->path))
		return open_device(wanted, reterr);
	return frec__output_open(&wanted->output, wanted->path, reterr);
}

static int open_one(const struct frec_outputs *outputs, struct frec_wanted *wanted,
		    struct frec_error *reterr)
{
	int result = open_plain(outputs, wanted, reterr);

	if (!result && wanted->compression && !wanted->endpoint)
		result = frec__output_compress(&wanted->output, wanted->compression, reterr);
	return result;
}

int frec__outputs_open(struct frec_outputs *outputs, struct frec_error *reterr)
{
	for (; outputs->open < outputs->count; outputs->open++) {
		struct frec_wanted *wanted = &outputs->wanted[outputs->open];
		int result = open_one(outputs, wanted, reterr);

		if (result)
			return result;
		outputs->targets[outputs->open] =
			(struct frec_export_target){wanted->writer, &wanted->output};
	}
	return 0;
}

void frec__outputs_end(struct frec_outputs *outputs, struct frec_error *reterr)
{
	bool failed = reterr->code;

	for (size_t i = 0; i < outputs->open; i++) {
		struct frec_error error = {0};

		if (failed)
			frec__output_discard(&outputs->wanted[i].output);
		else if (frec__output_commit(&outputs->wanted[i].output, &error) && !reterr->code)
			*reterr = error;
		if (outputs->wanted[i].is_device)
			close(outputs->wanted[i].device);
	}
}
