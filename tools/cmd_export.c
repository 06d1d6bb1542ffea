// SPDX-License-Identifier: MIT
// flightrec export: arguments.
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "export/export.h"
#include "tools/cli.h"
#include "tools/symbol_options.h"

#define USAGE "flightrec export FILE.frec [-f FORMAT] [-o OUT]... [-e EVENT]... [--pid PID]... [--from TIME] [--to TIME] [--symbols DIR]... [--root DIR]"

static const char help_options[] =
	"  -f, --format FORMAT  of the -o that follows; without it, what the ending of OUT says, or perfetto\n"
	"  -o, --output OUT     file (or folder, where the format is one) to write, - for standard output;\n"
	"                       without it, the input's name with the format's ending. Several -f and -o\n"
	"                       are written in one pass\n"
	"  -e, --event EVENT    only events of this name: a glob over SYSTEM:NAME; may be given again\n"
	"  --pid PID            only events of this process; may be given again\n"
	"  --from TIME          only events from then on: seconds from the trigger, as -2.5, or a date, as\n"
	"                       2026-05-01T12:30:00.5Z\n"
	"  --to TIME            only events up to then\n"
	"  --symbols DIR        look for programs and their debugging information below DIR/.build-id\n"
	"                       first; may be given again\n"
	"  --root DIR           programs are below DIR, as in a mounted image\n"
	"\n"
	"formats, and the endings that mean them:\n";

static void print_help(void)
{
	printf("usage: " USAGE "\n\n%s", help_options);
	for (size_t i = 0; frec__writers[i]; i++) {
		const struct frec_writer *writer = frec__writers[i];

		printf("  %-9s %s (%s%s%s)\n", writer->name, writer->what, writer->suffix,
		       writer->other_suffix ? ", " : "",
		       writer->other_suffix ? writer->other_suffix : "");
	}
}

// One -o, with its format.
struct wanted {
	const struct frec_writer *writer;
	const char *path; /* NULL: named after the input */
	char name[PATH_MAX];
	struct frec_output output;
};

struct arguments {
	const char *input;
	struct wanted *wanted;
	size_t wanted_count;
	const struct frec_writer *writer; /* of a -f whose -o has not come yet */
	const char **events;
	uint32_t *pids;
	struct frec_filter_options filter;
	struct frec_symbol_options symbols;
};

static void want(struct arguments *arguments, const char *path)
{
	struct wanted *wanted = &arguments->wanted[arguments->wanted_count++];

	wanted->writer = arguments->writer;
	wanted->path = path;
	arguments->writer = NULL;
}

static void default_name(struct wanted *wanted, const char *input)
{
	size_t length = strlen(input);

	if (length > 5 && !strcmp(input + length - 5, ".frec"))
		length -= 5;
	snprintf(wanted->name, sizeof(wanted->name), "%.*s%s", (int)length, input,
		 wanted->writer->suffix);
	wanted->path = wanted->name;
}

static bool parse_pid(const char *text, uint32_t *ret)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || value > INT32_MAX)
		return false;
	*ret = (uint32_t)value;
	return true;
}

// Gives every output its format and its name. Returns an exit status.
static int settle(struct arguments *arguments)
{
	size_t streams = 0;

	// A -f that stands behind the only -o is meant for it.
	if (arguments->writer && arguments->wanted_count == 1 && !arguments->wanted[0].writer)
		arguments->wanted[0].writer = arguments->writer;
	else if (arguments->writer || !arguments->wanted_count)
		want(arguments, NULL);
	for (size_t i = 0; i < arguments->wanted_count; i++) {
		struct wanted *wanted = &arguments->wanted[i];

		if (!wanted->writer && wanted->path)
			wanted->writer = frec__writer_for_path(wanted->path);
		if (!wanted->writer)
			wanted->writer = frec__writers[0];
		if (!wanted->path)
			default_name(wanted, arguments->input);
		if (!strcmp(wanted->path, "-")) {
			streams++;
			if (wanted->writer->kind != FREC_OUTPUT_STREAM)
				return frec__cli_usage(USAGE, "%s cannot be written to standard output: name a %s with -o",
						       wanted->writer->name,
						       wanted->writer->kind == FREC_OUTPUT_FOLDER ? "folder" : "file");
		}
		for (size_t k = 0; k < i; k++) {
			if (!strcmp(arguments->wanted[k].path, wanted->path) && streams < 2)
				return frec__cli_usage(USAGE, "%s: two outputs of one name", wanted->path);
		}
	}
	return streams < 2 ? FREC_EXIT_DONE : frec__cli_usage(USAGE, "one -o - only");
}

static int open_output(struct wanted *wanted, struct frec_error *reterr)
{
	if (!strcmp(wanted->path, "-"))
		return frec__output_open_stream(&wanted->output, STDOUT_FILENO, reterr);
	if (wanted->writer->kind == FREC_OUTPUT_FOLDER)
		return frec__output_open_folder(&wanted->output, wanted->path, reterr);
	return frec__output_open(&wanted->output, wanted->path, reterr);
}

static int export_to(struct frec_snapshot *snapshot, struct arguments *arguments,
		     struct frec_export_target *targets)
{
	struct frec_error error = {0}, trouble = {0};
	struct frec_progress progress;
	struct frec_export_options options = {.filter = &arguments->filter,
					      .symbols = &arguments->symbols.unwinder,
					      .progress = frec__progress_update,
					      .progress_data = &progress};
	size_t count = arguments->wanted_count, open = 0;

	while (open < count && !open_output(&arguments->wanted[open], &error)) {
		targets[open].writer = arguments->wanted[open].writer;
		targets[open].output = &arguments->wanted[open].output;
		open++;
	}
	if (!error.code) {
		frec__progress_start(&progress);
		frec__export(snapshot, targets, count, &options, &trouble, &error);
		frec__progress_end(&progress);
	}
	for (size_t i = 0; i < open; i++) {
		if (error.code)
			frec__output_discard(targets[i].output);
		else
			frec__output_commit(targets[i].output, &error);
	}
	if (error.code)
		return frec__cli_fail("%s", error.message);
	return trouble.code ? frec__cli_fail("%s", trouble.message) : FREC_EXIT_DONE;
}

// Returns an exit status, or -1 to go on.
static int parse(struct arguments *arguments, int argc, char **argv)
{
	enum { PID = 256, FROM, TO };
	static const struct option options[] = {{"format", required_argument, NULL, 'f'},
						{"output", required_argument, NULL, 'o'},
						{"event", required_argument, NULL, 'e'},
						{"pid", required_argument, NULL, PID},
						{"from", required_argument, NULL, FROM},
						{"to", required_argument, NULL, TO},
						{"help", no_argument, NULL, 'h'},
						FREC_SYMBOL_OPTIONS,
						{0}};
	struct frec_filter_options *filter = &arguments->filter;
	int option, taken;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":f:o:e:h", options, NULL)) != -1) {
		switch (option) {
		case 'f':
			if (arguments->writer)
				want(arguments, NULL);
			arguments->writer = frec__writer_find(optarg);
			if (!arguments->writer)
				return frec__cli_usage(USAGE, "%s: no such format", optarg);
			break;
		case 'o':
			want(arguments, optarg);
			break;
		case 'e':
			arguments->events[filter->event_count++] = optarg;
			break;
		case PID:
			if (!parse_pid(optarg, &arguments->pids[filter->pid_count++]))
				return frec__cli_usage(USAGE, "%s: not a process number", optarg);
			break;
		case FROM:
			filter->from = optarg;
			break;
		case TO:
			filter->to = optarg;
			break;
		case 'h':
			print_help();
			return FREC_EXIT_DONE;
		default:
			taken = frec__symbol_options_take(&arguments->symbols, option, optarg);
			if (taken < 0)
				return frec__cli_usage(USAGE, "--symbols %s: no more than %d of these", optarg,
						       FREC_SYMBOL_FOLDERS_MAX);
			if (taken)
				break;
			return frec__cli_other_option(USAGE, "", option, argv[optind - 1]);
		}
	}
	if (argc - optind != 1)
		return frec__cli_usage(USAGE, "name one snapshot file");
	arguments->input = argv[optind];
	return -1;
}

static int run(struct arguments *arguments, struct frec_export_target *targets, int argc,
	       char **argv)
{
	struct frec_snapshot snapshot;
	struct frec_error error = {0};
	int status = parse(arguments, argc, argv);

	if (status >= 0)
		return status;
	status = settle(arguments);
	if (status)
		return status;
	if (frec__snapshot_open(&snapshot, arguments->input, &error))
		return frec__cli_fail("%s", error.message);
	status = export_to(&snapshot, arguments, targets);
	frec__snapshot_close(&snapshot);
	return status;
}

int frec_cmd_export(int argc, char **argv)
{
	// No option can be given more often than there are words.
	size_t words = (size_t)argc + 1;
	struct arguments arguments = {
		.wanted = calloc(words, sizeof(*arguments.wanted)),
		.events = calloc(words, sizeof(*arguments.events)),
		.pids = calloc(words, sizeof(*arguments.pids)),
	};
	struct frec_export_target *targets = calloc(words, sizeof(*targets));
	int status;

	frec__symbol_options_init(&arguments.symbols);
	arguments.filter.events = arguments.events;
	arguments.filter.pids = arguments.pids;
	if (arguments.wanted && arguments.events && arguments.pids && targets)
		status = run(&arguments, targets, argc, argv);
	else
		status = frec__cli_fail("out of memory");
	free(arguments.wanted);
	free(arguments.events);
	free(arguments.pids);
	free(targets);
	return status;
}
