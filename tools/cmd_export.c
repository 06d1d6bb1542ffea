// SPDX-License-Identifier: MIT
// flightrec export: arguments.
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/cli.h"
#include "tools/inputs.h"
#include "tools/outputs.h"
#include "tools/shape_options.h"
#include "tools/symbol_options.h"

#define USAGE \
	"flightrec export FILE.frec... [-f FORMAT] [--compress gzip|zstd] [-o OUT | --endpoint " \
	"URL]... [-e EVENT]... [--pid PID]... [--from TIME] " \
	"[--to TIME] [--symbols DIR]... [--root DIR] [--span RULE]... [--counter RULE]... " \
	"[--flow RULE]... [--log RULE]... " \
	"[--rules FILE] [--no-conventions]"

#define PATIENCE 60

static const char help_options[] =
	"  -f, --format FORMAT  of the -o that follows; without it, what the ending of OUT says, "
	"or perfetto\n"
	"  -o, --output OUT     file (or folder, where the format is one) to write, - for standard "
	"output;\n"
	"                       without it, the input's name with the format's ending. Several -f "
	"and -o\n"
	"                       are written in one pass\n"
	"  --compress KIND      gzip or zstd, of the -o that follows; without it, what the ending "
	"of OUT says:\n"
	"                       .gz or .zst behind that of the format\n"
	"  --endpoint URL       send to an OpenTelemetry collector, as http://localhost:4318: OTLP "
	"over HTTP, in\n"
	"                       requests of about 1 MiB, logs to URL/v1/logs and spans to "
	"URL/v1/traces; behind\n"
	"                       -f otlp or otlp-traces one of them, to the URL as it is, if it has "
	"a path. Headers to\n"
	"                       send along are taken from OTEL_EXPORTER_OTLP_HEADERS\n"
	"  --retry SECONDS      how long to ask a collector again that is busy (60)\n"
	"  -e, --event EVENT    only events of this name: a glob over SYSTEM:NAME; may be given "
	"again\n"
	"  --pid PID            only events of this process; may be given again\n"
	"  --from TIME          only events from then on: seconds from the trigger, as -2.5, or a "
	"date, as\n"
	"                       2026-05-01T12:30:00.5Z\n"
	"  --to TIME            only events up to then\n"
	"  --symbols DIR        look for programs and their debugging information below "
	"DIR/.build-id\n"
	"                       first; may be given again\n"
	"  --root DIR           programs are below DIR, as in a mounted image\n";

static void print_help(void)
{
	printf("usage: " USAGE "\n\n%s%s\nformats, and the endings that mean them:\n", help_options,
	       frec__shape_options_help);
	for (size_t i = 0; frec__writers[i]; i++) {
		const struct frec_writer *writer = frec__writers[i];

		printf("  %-11s %s (%s%s%s)\n", writer->name, writer->what, writer->suffix,
		       writer->other_suffix ? ", " : "",
		       writer->other_suffix ? writer->other_suffix : "");
	}
}

struct arguments {
	char *const *paths; /* of the snapshots */
	size_t path_count;
	struct frec_outputs outputs;
	const char **events;
	uint32_t *pids;
	struct frec_filter_options filter;
	struct frec_symbol_options symbols;
	struct frec_shape_rules rules;
};

static bool parse_number(const char *text, uint32_t *ret)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || value > INT32_MAX)
		return false;
	*ret = (uint32_t)value;
	return true;
}

static int export_to(const struct frec_inputs *inputs, struct arguments *arguments)
{
	struct frec_error error = {0}, trouble = {0};
	struct frec_outputs *outputs = &arguments->outputs;
	struct frec_progress progress;
	struct frec_export_job job = {.snapshots = inputs->snapshots,
				      .snapshot_count = inputs->count,
				      .filter = &arguments->filter,
				      .symbols = &arguments->symbols.unwinder,
				      .rules = &arguments->rules,
				      .progress = frec__progress_update,
				      .progress_data = &progress};

	if (!frec__outputs_open(outputs, &error)) {
		frec__progress_start(&progress);
		job.targets = outputs->targets;
		job.target_count = outputs->count;
		frec__export(&job, &trouble, &error);
		frec__progress_end(&progress);
	}
	frec__outputs_end(outputs, &error);
	if (error.code)
		return frec__cli_fail("%s", error.message);
	return trouble.code ? frec__cli_fail("%s", trouble.message) : FREC_EXIT_DONE;
}

// Returns an exit status, or -1 to go on.
static int parse(struct arguments *arguments, int argc, char **argv)
{
	enum { PID = 256, FROM, TO, COMPRESS, ENDPOINT, RETRY };
	static const struct option options[] = {{"format", required_argument, NULL, 'f'},
						{"output", required_argument, NULL, 'o'},
						{"compress", required_argument, NULL, COMPRESS},
						{"endpoint", required_argument, NULL, ENDPOINT},
						{"retry", required_argument, NULL, RETRY},
						{"event", required_argument, NULL, 'e'},
						{"pid", required_argument, NULL, PID},
						{"from", required_argument, NULL, FROM},
						{"to", required_argument, NULL, TO},
						{"help", no_argument, NULL, 'h'},
						FREC_SYMBOL_OPTIONS,
						FREC_RULE_OPTIONS,
						{0}};
	struct frec_filter_options *filter = &arguments->filter;
	struct frec_error error = {0};
	uint32_t retry;
	int option, taken;

	arguments->outputs.patience = PATIENCE;
	arguments->outputs.headers = getenv("OTEL_EXPORTER_OTLP_HEADERS");
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":f:o:e:h", options, NULL)) != -1) {
		switch (option) {
		case 'f':
			if (!frec__outputs_format(&arguments->outputs, optarg))
				return frec__cli_usage(USAGE, "%s: no such format", optarg);
			break;
		case 'o':
			frec__outputs_path(&arguments->outputs, optarg);
			break;
		case COMPRESS:
			if (!frec__outputs_compress(&arguments->outputs, optarg))
				return frec__cli_usage(USAGE, "--compress %s: gzip or zstd",
						       optarg);
			break;
		case ENDPOINT:
			frec__outputs_endpoint(&arguments->outputs, optarg);
			break;
		case RETRY:
			if (!parse_number(optarg, &retry))
				return frec__cli_usage(USAGE, "--retry %s: not a number of seconds",
						       optarg);
			arguments->outputs.patience = retry;
			break;
		case 'e':
			arguments->events[filter->event_count++] = optarg;
			break;
		case PID:
			if (!parse_number(optarg, &arguments->pids[filter->pid_count++]))
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
				return frec__cli_usage(USAGE,
						       "--symbols %s: no more than %d of these",
						       optarg, FREC_SYMBOL_FOLDERS_MAX);
			if (!taken)
				taken = frec__shape_options_take(&arguments->rules, option, optarg,
								 &error);
			if (taken < 0 && option == FREC_OPTION_RULES)
				return frec__cli_fail("%s", error.message);
			if (taken < 0)
				return frec__cli_usage(USAGE, "%s", error.message);
			if (taken)
				break;
			return frec__cli_other_option(USAGE, "", option, argv[optind - 1]);
		}
	}
	if (optind == argc)
		return frec__cli_usage(USAGE, "name a snapshot file, or several for one timeline");
	arguments->paths = argv + optind;
	arguments->path_count = (size_t)(argc - optind);
	return -1;
}

static int run(struct arguments *arguments, int argc, char **argv)
{
	struct frec_inputs inputs = {0};
	struct frec_error error = {0};
	int status = parse(arguments, argc, argv);

	if (status >= 0)
		return status;
	status = frec__outputs_settle(&arguments->outputs, arguments->paths[0], USAGE);
	if (status)
		return status;
	if (frec__inputs_open(&inputs, arguments->paths, arguments->path_count, &error))
		return frec__cli_fail("%s", error.message);
	status = export_to(&inputs, arguments);
	frec__inputs_close(&inputs);
	return status;
}

int frec_cmd_export(int argc, char **argv)
{
	// No option can be given more often than there are words.
	size_t words = (size_t)argc + 1;
	struct arguments arguments = {
		.events = calloc(words, sizeof(*arguments.events)),
		.pids = calloc(words, sizeof(*arguments.pids)),
	};
	int status;

	frec__symbol_options_init(&arguments.symbols);
	arguments.filter.events = arguments.events;
	arguments.filter.pids = arguments.pids;
	if (!frec__outputs_init(&arguments.outputs, 2 * words) && arguments.events &&
	    arguments.pids)
		status = run(&arguments, argc, argv);
	else
		status = frec__cli_fail("out of memory");
	frec__outputs_deinit(&arguments.outputs);
	frec__shape_rules_free(&arguments.rules);
	free(arguments.events);
	free(arguments.pids);
	return status;
}
