// SPDX-License-Identifier: MIT
// flightrec doctor: what this machine can do for a recorder, and how to fix what it can't.
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "recorder/doctor/probes.h"
#include "tools/cli.h"
#include "tools/doctor_table.h"
#include "tools/terminal.h"

#define USAGE "flightrec doctor [--json]"

static const char help[] =
	"usage: " USAGE "\n\n"
	"Tries everything that recording needs, as this user: a table of what works, what each is "
	"good "
	"for and\n"
	"what was found, then the commands that would change what does not. Exit status 0: "
	"something "
	"can be\n"
	"recorded, 1: nothing can.\n\n"
	"      --json  one JSON object a capability and one for the sum, for machines\n";

// 0 where it is none.
static unsigned int terminal_width(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) ? 0 : size.ws_col;
}

static int print(const struct frec_probe_result *results, bool json)
{
	struct frec_probe_verdict verdict;
	struct frec_text text = {0};

	if (json)
		frec__doctor_json(&text, results);
	else
		frec__doctor_table(&text, results, terminal_width(),
				   frec__terminal_colored(FREC_WHEN_AUTO));
	fwrite(text.data ? text.data : "", 1, text.size, stdout);
	frec__text_free(&text);
	if (fflush(stdout))
		return frec__cli_fail("standard output: %m");
	frec__probes_judge(results, &verdict);
	return verdict.automatic < 0 && verdict.tracepoints_lacking ? FREC_EXIT_FAILED
								    : FREC_EXIT_DONE;
}

int frec_cmd_doctor(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
	FREC_FREE struct frec_probe_result *results = NULL;
	bool json = false;
	int option;

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
	if (optind < argc)
		return frec__cli_usage(USAGE, "%s: doctor takes no arguments", argv[optind]);
	results = calloc(frec__probe_count, sizeof(*results));
	if (!results)
		return frec__cli_fail("out of memory");
	frec__probes_run(results);
	return print(results, json);
}
