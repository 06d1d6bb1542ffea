// SPDX-License-Identifier: MIT
// flightrec verify: parses the arguments and verifies the snapshot.
#include <stdio.h>
#include <unistd.h>

#include "export/verify.h"
#include "tools/cli.h"
#include "tools/inputs.h"
#include "tools/options.h"
#include "tools/sandbox.h"

static int verify(struct frec_inputs *inputs, bool json)
{
	struct frec_progress progress;
	const struct frec_verify_options options = {json, frec__progress_update, &progress};
	struct frec_error error = {0};
	struct frec_output output;
	struct frec_tool_sandbox sandbox;
	uint64_t problems = 0;

	frec__tool_sandbox_init(&sandbox, NULL, false);
	if (frec__tool_sandbox_enter(&sandbox, &error) || frec__inputs_read(inputs, &error) ||
	    frec__output_open_stream(&output, STDOUT_FILENO, &error))
		return frec__cli_fail("%s", error.message);
	frec__progress_start(&progress);
	frec__verify(inputs->snapshots[0], &options, &output, &problems, &error);
	frec__progress_end(&progress);
	if (error.code)
		frec__output_discard(&output);
	else
		frec__output_commit(&output, &error);
	if (error.code)
		return frec__cli_fail("%s", error.message);
	return problems ? FREC_EXIT_FAILED : FREC_EXIT_DONE;
}

int frec_cmd_verify(int argc, char **argv)
{
	bool json = false;
	const struct frec_option options[] = {
		{.name = "json", .flag = &json, .help = "print one JSON object, for machines"},
		{0}};
	const struct frec_command_line command = {
		.usage = "flightrec verify FILE.frec [--json]",
		.about = "Checks checksums, counts, coverage and loss. Prints a line for each "
			 "problem and a summary. The exit status is 1 if there are problems.",
		.options = {options},
	};
	struct frec_inputs inputs = {0};
	struct frec_error error = {0};
	int status;

	if (!frec__options_parse(&command, &argc, &argv, &status))
		return status;
	if (argc != 1)
		return frec__cli_usage(command.usage, "name one snapshot file");
	if (frec__inputs_open(&inputs, argv, 1, &error))
		return frec__cli_fail("%s", error.message);
	status = verify(&inputs, json);
	frec__inputs_close(&inputs);
	return status;
}
