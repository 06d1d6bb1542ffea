// SPDX-License-Identifier: MIT
// flightrec verify: arguments.
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "export/read/input.h"
#include "export/verify.h"
#include "tools/cli.h"

#define USAGE "flightrec verify FILE.frec [--json]"

static const char help[] =
	"usage: " USAGE "\n\n"
	"Checks checksums, counts, coverage and loss: a line a problem, then a summary.\n"
	"Exit status 0: nothing wrong, 1: problems.\n\n"
	"  --json  the same as JSON, for machines\n";

static int verify(struct frec_snapshot *snapshot, bool json)
{
	struct frec_progress progress;
	const struct frec_verify_options options = {json, frec__progress_update, &progress};
	struct frec_error error = {0};
	struct frec_output output;
	uint64_t problems = 0;

	if (frec__output_open_stream(&output, STDOUT_FILENO, &error))
		return frec__cli_fail("%s", error.message);
	frec__progress_start(&progress);
	frec__verify(snapshot, &options, &output, &problems, &error);
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
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
	struct frec_snapshot snapshot;
	struct frec_error error = {0};
	bool json = false;
	int option, status;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		switch (option) {
		case 'j':
			json = true;
			break;
		default:
			return frec__cli_other_option(USAGE, help, option, argv[optind - 1]);
		}
	}
	if (argc - optind != 1)
		return frec__cli_usage(USAGE, "name one snapshot file");
	if (frec__input_open(&snapshot, argv[optind], &error))
		return frec__cli_fail("%s", error.message);
	status = verify(&snapshot, json);
	frec__input_close(&snapshot);
	return status;
}
