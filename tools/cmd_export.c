// SPDX-License-Identifier: MIT
// flightrec export: parses the arguments and runs the export.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/cli.h"
#include "tools/inputs.h"
#include "tools/options.h"
#include "tools/outputs.h"
#include "tools/sandbox.h"
#include "tools/shape_options.h"
#include "tools/symbol_options.h"

#define PATIENCE 60

static void print_formats(void)
{
	fputs("\nformats, and the endings that select them:\n", stdout);
	for (size_t i = 0; frec__writers[i]; i++) {
		const struct frec_writer *writer = frec__writers[i];

		printf("  %-11s %s (%s%s%s)\n", writer->name, writer->what, writer->suffix,
		       writer->other_suffix ? ", " : "",
		       writer->other_suffix ? writer->other_suffix : "");
	}
}

struct arguments {
	struct frec_outputs outputs;
	const char **events;
	uint32_t *pids;
	struct frec_filter_options filter;
	struct frec_symbol_options symbols;
	struct frec_shape_rules rules;
	bool raw;
};

// Enters a sandbox that leaves the command what its outputs and symbols need. Returns 0 or a
// negative errno.
static int enter_sandbox(const struct arguments *arguments, struct frec_error *reterr)
{
	const struct frec_outputs *outputs = &arguments->outputs;
	const struct frec_unwinder_options *symbols = &arguments->symbols.unwinder;
	struct frec_tool_sandbox sandbox;
	const char *temporary = getenv("TMPDIR");
	bool network = false;

	for (size_t i = 0; i < outputs->count; i++)
		network |= outputs->wanted[i].endpoint;
	frec__tool_sandbox_init(&sandbox, symbols, network);
	frec__tool_sandbox_start_opener(&sandbox, symbols->debuginfod);
	for (size_t i = 0; i < outputs->count; i++) {
		const struct frec_wanted *wanted = &outputs->wanted[i];

		frec__tool_sandbox_write_in(&sandbox, wanted->output.file.folder);
		if (wanted->writer == &frec__writer_firefox)
			frec__tool_sandbox_write_to(&sandbox, temporary ? temporary : "/tmp");
	}
	return frec__tool_sandbox_enter(&sandbox, reterr);
}

static int export_to(struct frec_inputs *inputs, struct arguments *arguments)
{
	struct frec_error error = {0}, trouble = {0};
	struct frec_outputs *outputs = &arguments->outputs;
	struct frec_progress progress;
	struct frec_export_job job = {.filter = &arguments->filter,
				      .symbols = &arguments->symbols.unwinder,
				      .rules = &arguments->rules,
				      .raw = arguments->raw,
				      .progress = frec__progress_update,
				      .progress_data = &progress};

	if (!frec__outputs_open(outputs, &error) && !enter_sandbox(arguments, &error) &&
	    !frec__inputs_read(inputs, &error)) {
		frec__progress_start(&progress);
		job.snapshots = inputs->snapshots;
		job.snapshot_count = inputs->count;
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

static int parse_format(void *data, const char *value, struct frec_error *reterr)
{
	return frec__outputs_format(data, value)
		       ? 0
		       : frec__error(reterr, -EINVAL, "%s: no such format", value);
}

static int add_output(void *data, const char *value, struct frec_error *reterr)
{
	(void)reterr;
	frec__outputs_path(data, value);
	return 0;
}

static int parse_compression(void *data, const char *value, struct frec_error *reterr)
{
	(void)reterr;
	return frec__outputs_compress(data, value) ? 0 : -EINVAL;
}

static int add_endpoint(void *data, const char *value, struct frec_error *reterr)
{
	(void)reterr;
	frec__outputs_endpoint(data, value);
	return 0;
}

static int parse_retry(void *data, const char *value, struct frec_error *reterr)
{
	struct frec_outputs *outputs = data;

	(void)reterr;
	return frec__parse_number(value, 0, INT32_MAX, &outputs->patience);
}

static int add_event(void *data, const char *value, struct frec_error *reterr)
{
	struct arguments *arguments = data;

	(void)reterr;
	arguments->events[arguments->filter.event_count++] = value;
	return 0;
}

static int add_pid(void *data, const char *value, struct frec_error *reterr)
{
	struct arguments *arguments = data;
	uint64_t pid;

	if (frec__parse_number(value, 0, INT32_MAX, &pid))
		return frec__error(reterr, -EINVAL, "%s: not a process number", value);
	arguments->pids[arguments->filter.pid_count++] = (uint32_t)pid;
	return 0;
}

static int run(struct arguments *arguments, int argc, char **argv)
{
	struct frec_outputs *outputs = &arguments->outputs;
	struct frec_option shape_options[FREC_SHAPE_OPTIONS];
	const struct frec_option symbol_options[] = FREC_SYMBOL_OPTIONS(&arguments->symbols);
	const struct frec_option options[] = {
		{.letter = 'f',
		 .name = "format",
		 .value = "FORMAT",
		 .parse = parse_format,
		 .data = outputs,
		 .help = "the format of the -o that follows; the default is what the ending of OUT "
			 "says, or perfetto"},
		{.letter = 'o',
		 .name = "output",
		 .value = "OUT",
		 .parse = add_output,
		 .data = outputs,
		 .help = "the file to write (or folder, if the format is one), - for standard "
			 "output; the default is the input's name with the ending of the format; "
			 "several -f and -o are written in one pass"},
		{.name = "compress",
		 .value = "KIND",
		 .parse = parse_compression,
		 .data = outputs,
		 .expected = "gzip or zstd",
		 .help = "gzip or zstd, for the -o that follows; the default is what the ending of "
			 "OUT says: .gz or .zst after that of the format"},
		{.name = "endpoint",
		 .value = "URL",
		 .parse = add_endpoint,
		 .data = outputs,
		 .help = "send to an OpenTelemetry collector, as http://localhost:4318: OTLP over "
			 "HTTP in requests of about 1 MiB, logs to URL/v1/logs and spans to "
			 "URL/v1/traces; after -f otlp or -f otlp-traces one of them, to the URL "
			 "as it is if it has a path; headers are taken from "
			 "OTEL_EXPORTER_OTLP_HEADERS"},
		{.name = "retry",
		 .value = "SECONDS",
		 .parse = parse_retry,
		 .data = outputs,
		 .expected = "not a number of seconds",
		 .help = "how long requests to a busy collector are repeated (60)"},
		{.letter = 'e',
		 .name = "event",
		 .value = "EVENT",
		 .parse = add_event,
		 .data = arguments,
		 .help = "only events with this name, a glob over SYSTEM:NAME; may be given "
			 "several times"},
		{.name = "pid",
		 .value = "PID",
		 .parse = add_pid,
		 .data = arguments,
		 .help = "only events of this process; may be given several times"},
		{.name = "from",
		 .value = "TIME",
		 .text = &arguments->filter.from,
		 .help = "only events from then on: seconds relative to the trigger, as -2.5, or a "
			 "date, as 2026-05-01T12:30:00.5Z"},
		{.name = "to",
		 .value = "TIME",
		 .text = &arguments->filter.to,
		 .help = "only events up to then"},
		{.name = "raw",
		 .flag = &arguments->raw,
		 .help = "csv: write text as it was emitted, also if a spreadsheet would run it as "
			 "a formula"},
		{0}};
	const struct frec_command_line command = {
		.usage = "flightrec export FILE.frec... [-f FORMAT] [--compress gzip|zstd] [-o OUT "
			 "| --endpoint URL]... [-e EVENT]... [--pid PID]... [--from TIME] [--to "
			 "TIME] [--raw] [--symbols DIR]... [--root DIR] [--span RULE]... "
			 "[--counter RULE]... [--flow RULE]... [--log RULE]... [--rules FILE] "
			 "[--no-conventions]",
		.options = {options, symbol_options, shape_options},
		.print_more = print_formats,
	};
	struct frec_inputs inputs = {0};
	struct frec_error error = {0};
	int status;

	outputs->patience = PATIENCE;
	outputs->headers = getenv("OTEL_EXPORTER_OTLP_HEADERS");
	frec__shape_options_init(shape_options, &arguments->rules);
	if (!frec__options_parse(&command, &argc, &argv, &status))
		return status;
	if (!argc)
		return frec__cli_usage(command.usage,
				       "name a snapshot file, or several for one timeline");
	status = frec__outputs_settle(outputs, argv[0], command.usage);
	if (status)
		return status;
	if (frec__inputs_open(&inputs, argv, (size_t)argc, &error))
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
