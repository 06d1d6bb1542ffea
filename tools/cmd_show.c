// SPDX-License-Identifier: MIT
// flightrec show: parses the arguments and shows the snapshot, in a pager if there is one.
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "export/show.h"
#include "tools/cli.h"
#include "tools/inputs.h"
#include "tools/options.h"
#include "tools/sandbox.h"
#include "tools/symbol_options.h"
#include "tools/terminal.h"

#define LAST 20

static int write_to(int fd, struct frec_snapshot *snapshot, const struct frec_show_options *options,
		    struct frec_error *warning, struct frec_error *reterr)
{
	struct frec_output output;
	int r = frec__output_open_stream(&output, fd, reterr);

	if (r)
		return r;
	r = frec__show(snapshot, options, &output, warning, reterr);
	if (r) {
		frec__output_discard(&output);
		return r;
	}
	return frec__output_commit(&output, reterr);
}

static int show(struct frec_inputs *inputs, const struct frec_show_options *options)
{
	struct frec_error error = {0}, warning = {0};
	struct frec_pager pager = {.fd = STDOUT_FILENO, .pid = -1};
	struct frec_tool_sandbox sandbox;

	frec__tool_sandbox_init(&sandbox, options->symbols, false);
	frec__tool_sandbox_start_opener(&sandbox, options->symbols->debuginfod);
	if (!options->json)
		frec__pager_start(&pager);
	if (!frec__tool_sandbox_enter(&sandbox, &error) && !frec__inputs_read(inputs, &error))
		(void)write_to(pager.fd, inputs->snapshots[0], options, &warning, &error);
	// It is no error if the user leaves the pager before the end.
	if (error.code == -EPIPE && pager.pid >= 0)
		error.code = 0;
	// If the shell could not run the pager, it has printed why on standard error, and nothing
	// was shown.
	if (!frec__pager_end(&pager) && !error.code)
		(void)write_to(STDOUT_FILENO, inputs->snapshots[0], options, &warning, &error);
	if (error.code)
		return frec__cli_fail("%s", error.message);
	return warning.code ? frec__cli_fail("%s", warning.message) : FREC_EXIT_DONE;
}

static int parse_last(void *data, const char *value, struct frec_error *reterr)
{
	size_t *last = data;
	uint64_t number;

	(void)reterr;
	if (frec__parse_number(value, 0, SIZE_MAX, &number))
		return -EINVAL;
	*last = number;
	return 0;
}

static int parse_color(void *data, const char *value, struct frec_error *reterr)
{
	(void)reterr;
	return frec__terminal_parse_when(value, data) ? 0 : -EINVAL;
}

int frec_cmd_show(int argc, char **argv)
{
	struct frec_symbol_options symbols;
	struct frec_show_options show_options = {.last = LAST, .symbols = &symbols.unwinder};
	enum frec_when color = FREC_WHEN_AUTO;
	const struct frec_option options[] = {
		{.letter = 'n',
		 .value = "N",
		 .parse = parse_last,
		 .data = &show_options.last,
		 .expected = "not a number",
		 .help = "show the last N events (20) of the process that died, and half as many "
			 "of others"},
		{.name = "all", .flag = &show_options.all, .help = "show all events"},
		{.name = "json",
		 .flag = &show_options.json,
		 .help = "print one JSON object, for machines"},
		{.name = "color",
		 .value = "WHEN",
		 .parse = parse_color,
		 .data = &color,
		 .expected = "auto, always or never",
		 .help = "auto (on a terminal, unless NO_COLOR is set), always or never"},
		{0}};
	const struct frec_option symbol_options[] = FREC_SYMBOL_OPTIONS(&symbols);
	const struct frec_command_line command = {
		.usage = "flightrec show FILE.frec [-n N | --all] [--json] [--color WHEN] "
			 "[--symbols DIR]... [--root DIR]",
		.about = "Prints the crash report and the last events of a snapshot.",
		.options = {options, symbol_options},
	};
	struct frec_inputs inputs = {0};
	struct frec_error error = {0};
	int status;

	frec__symbol_options_init(&symbols);
	if (!frec__options_parse(&command, &argc, &argv, &status))
		return status;
	if (argc != 1)
		return frec__cli_usage(command.usage, "name one snapshot file");
	show_options.colored = frec__terminal_colored(color);
	if (frec__inputs_open(&inputs, argv, 1, &error))
		return frec__cli_fail("%s", error.message);
	status = show(&inputs, &show_options);
	frec__inputs_close(&inputs);
	return status;
}
