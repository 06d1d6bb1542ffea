// SPDX-License-Identifier: MIT
// flightrec import: parses the arguments and runs the import.
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "recorder/import/import.h"
#include "tools/cli.h"
#include "tools/options.h"
#include "tools/sandbox.h"

static void report_left_out(const struct frec_import_result *result)
{
	static const struct {
		unsigned int part;
		const char *what;
	} parts[] = {
		{FREC_IMPORT_NO_COUNTS, "values of counters (those of a group, for one)"},
		{FREC_IMPORT_NO_BRANCHES, "branch stacks"},
		{FREC_IMPORT_NO_DEFERRED,
		 "the user's half of call chains, recorded later than them"},
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (result->parts & parts[i].part)
			fprintf(stderr, "flightrec: left out: %s\n", parts[i].what);
	}
	if (result->aux_bytes)
		fprintf(stderr,
			"flightrec: left out: %" PRIu64 " bytes of a hardware trace (AUX)\n",
			result->aux_bytes);
	for (int bit = 0; bit < 64; bit++) {
		if (result->unknown_samples >> bit & 1)
			fprintf(stderr,
				"flightrec: left out: what bit %d of sample_type adds to samples, "
				"which is not known here\n",
				bit);
	}
}

static void print_result(const char *output, const struct frec_import_result *result)
{
	printf("%s: %" PRIu64 " events of %" PRIu32 " sources on %" PRIu32 " CPUs", output,
	       result->events, result->sources, result->cpus);
	if (result->lost)
		printf(", %" PRIu64 " more were lost", result->lost);
	if (result->left_out)
		printf(", %" PRIu64
		       " left out: the recording does not describe them, or they are too large",
		       result->left_out);
	putchar('\n');
	report_left_out(result);
	if (result->end.code)
		fprintf(stderr, "flightrec: %s: imported what comes before that\n",
			result->end.message);
	if (result->clock_is_perfs)
		fputs("flightrec: perf used an internal clock of the kernel: the events are in "
		      "order, but have no dates and cannot be compared with other recordings; use "
		      "'perf record -k CLOCK_MONOTONIC'\n",
		      stderr);
	else if (!result->clock_known)
		fputs("flightrec: the recording does not relate its times to dates\n", stderr);
}

int frec_cmd_import(int argc, char **argv)
{
	const char *input, *output = NULL;
	const struct frec_option options[] = {{.letter = 'o',
					       .name = "output",
					       .value = "FILE",
					       .text = &output,
					       .help = "the snapshot to write"},
					      {0}};
	const struct frec_command_line command = {
		.usage = "flightrec import PERF.DATA -o OUT.frec",
		.about = "Makes a snapshot of what 'perf record' or perf-collect recorded. '-' "
			 "reads the output of 'perf record -o -'.",
		.options = {options},
	};
	struct frec_progress progress;
	const struct frec_import_options import = {frec__progress_update, &progress};
	struct frec_import_result result;
	struct frec_tool_sandbox sandbox;
	struct frec_error error = {0};
	int fd, r, status;

	if (!frec__options_parse(&command, &argc, &argv, &status))
		return status;
	if (argc != 1)
		return frec__cli_usage(command.usage, "name one perf.data file");
	if (!output)
		return frec__cli_usage(command.usage, "name the snapshot to write with -o");
	input = argv[0];
	fd = strcmp(input, "-") ? open(input, O_RDONLY | O_CLOEXEC) : dup(STDIN_FILENO);
	if (fd < 0)
		return frec__cli_fail("%s: cannot open it: %s", input, strerror(errno));
	frec__tool_sandbox_init(&sandbox, NULL, false);
	frec__tool_sandbox_write_beside(&sandbox, output);
	// Records are sorted in a temporary file in /var/tmp if O_TMPFILE does not work beside the
	// output.
	frec__tool_sandbox_write_to(&sandbox, "/var/tmp");
	if (frec__tool_sandbox_enter(&sandbox, &error))
		return frec__cli_fail("%s", error.message);
	frec__progress_start(&progress);
	r = frec__import(fd, input, output, &import, &result, &error);
	frec__progress_end(&progress);
	if (r)
		return frec__cli_fail("%s", error.message);
	print_result(output, &result);
	return result.end.code ? FREC_EXIT_FAILED : FREC_EXIT_DONE;
}
