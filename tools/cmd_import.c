// SPDX-License-Identifier: MIT
// flightrec import: arguments.
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "recorder/import/import.h"
#include "tools/cli.h"

#define USAGE "flightrec import PERF.DATA -o OUT.frec"

static const char help[] = "usage: " USAGE "\n\n"
			   "Makes a snapshot of what 'perf record' or perf-collect recorded. '-' "
			   "reads what 'perf record -o -' writes.\n\n"
			   "  -o, --output FILE  the snapshot\n";

static void tell(const char *output, const struct frec_import_result *result)
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
	if (result->clock_is_perfs)
		fputs("flightrec: their times are of a clock of the kernel's own: in order, but "
		      "with no dates and not comparable "
		      "with those of other recordings; 'perf record -k CLOCK_MONOTONIC' has both\n",
		      stderr);
	else if (!result->clock_known)
		fputs("flightrec: the recording does not say what its times are as dates\n",
		      stderr);
}

int frec_cmd_import(int argc, char **argv)
{
	static const struct option options[] = {
		{"output", required_argument, NULL, 'o'}, {"help", no_argument, NULL, 'h'}, {0}};
	struct frec_progress progress;
	const struct frec_import_options import = {frec__progress_update, &progress};
	struct frec_import_result result;
	struct frec_error error = {0};
	const char *input, *output = NULL;
	int option, fd, r;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":o:h", options, NULL)) != -1) {
		switch (option) {
		case 'o':
			output = optarg;
			break;
		default:
			return frec__cli_other_option(USAGE, help, option, argv[optind - 1]);
		}
	}
	if (argc - optind != 1)
		return frec__cli_usage(USAGE, "name one perf.data file");
	if (!output)
		return frec__cli_usage(USAGE, "name the snapshot to write with -o");
	input = argv[optind];
	fd = strcmp(input, "-") ? open(input, O_RDONLY | O_CLOEXEC) : dup(STDIN_FILENO);
	if (fd < 0)
		return frec__cli_fail("%s: cannot open it: %s", input, strerror(errno));
	frec__progress_start(&progress);
	r = frec__import(fd, input, output, &import, &result, &error);
	frec__progress_end(&progress);
	if (r)
		return frec__cli_fail("%s", error.message);
	tell(output, &result);
	return FREC_EXIT_DONE;
}
