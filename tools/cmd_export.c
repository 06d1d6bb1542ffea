// SPDX-License-Identifier: MIT
// flightrec export: arguments.
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "export/export.h"
#include "tools/cli.h"

#define USAGE "flightrec export FILE.frec [-f perfetto|json] [-o OUT]"

static const char help[] =
	"usage: " USAGE "\n\n"
	"  -f, --format FORMAT  perfetto (for ui.perfetto.dev; the default) or json (one object a "
	"line)\n"
	"  -o, --output OUT     file to write, - for standard output; without it, the input's name "
	"with\n"
	"                       .pftrace or .jsonl. Without -f its ending decides the format:\n"
	"                       .pftrace, .perfetto-trace, .jsonl, .json\n";

static void default_name(char *out, size_t size, const char *input, const char *suffix)
{
	size_t length = strlen(input);

	if (length > 5 && !strcmp(input + length - 5, ".frec"))
		length -= 5;
	snprintf(out, size, "%.*s%s", (int)length, input, suffix);
}

static int export_to(struct frec_snapshot *snapshot, const struct frec_writer *writer,
		     const char *path)
{
	struct frec_error error = {0}, trouble = {0};
	struct frec_progress progress;
	struct frec_export_options options = {frec__progress_update, &progress};
	struct frec_output output;

	if (strcmp(path, "-") ? frec__output_open(&output, path, &error)
			      : frec__output_open_stream(&output, STDOUT_FILENO, &error))
		return frec__cli_fail("%s", error.message);
	frec__progress_start(&progress);
	if (frec__export(snapshot, writer, &output, &options, &trouble, &error))
		frec__output_discard(&output);
	else
		frec__output_commit(&output, &error);
	frec__progress_end(&progress);
	if (error.code)
		return frec__cli_fail("%s", error.message);
	return trouble.code ? frec__cli_fail("%s", trouble.message) : FREC_EXIT_DONE;
}

int frec_cmd_export(int argc, char **argv)
{
	static const struct option options[] = {{"format", required_argument, NULL, 'f'},
						{"output", required_argument, NULL, 'o'},
						{"help", no_argument, NULL, 'h'},
						{0}};
	const struct frec_writer *writer = NULL;
	struct frec_snapshot snapshot;
	struct frec_error error = {0};
	const char *path = NULL;
	char name[PATH_MAX];
	int option, status;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":f:o:h", options, NULL)) != -1) {
		switch (option) {
		case 'f':
			writer = frec__writer_find(optarg);
			if (!writer)
				return frec__cli_usage(USAGE, "%s: no such format", optarg);
			break;
		case 'o':
			path = optarg;
			break;
		default:
			return frec__cli_other_option(USAGE, help, option, argv[optind - 1]);
		}
	}
	if (argc - optind != 1)
		return frec__cli_usage(USAGE, "name one snapshot file");
	if (!writer && path)
		writer = frec__writer_for_path(path);
	if (!writer)
		writer = &frec__writer_perfetto;
	if (!path) {
		default_name(name, sizeof(name), argv[optind], writer->suffix);
		path = name;
	}
	if (frec__snapshot_open(&snapshot, argv[optind], &error))
		return frec__cli_fail("%s", error.message);
	status = export_to(&snapshot, writer, path);
	frec__snapshot_close(&snapshot);
	return status;
}
