// SPDX-License-Identifier: MIT
// flightrec doctor: prints what this machine can do for a recorder, and how to enable the rest.
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/rights.h"
#include "recorder/doctor/probes.h"
#include "tools/cli.h"
#include "tools/doctor_table.h"
#include "tools/options.h"
#include "tools/terminal.h"

// Returns the width of the terminal in columns, or 0 if standard output is not a terminal.
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
	bool json = false;
	const struct frec_option options[] = {
		{.name = "json",
		 .flag = &json,
		 .help = "print one JSON object for each capability and one for the result, for "
			 "machines"},
		{0}};
	const struct frec_command_line command = {
		.usage = "flightrec doctor [--json]",
		.about = "Tries everything that recording needs, with the rights of this user. "
			 "Prints a table of what works, what each capability enables and what was "
			 "found, then the commands that would enable what does not work. The exit "
			 "status is 1 if nothing can be recorded.",
		.options = {options},
	};
	FREC_FREE struct frec_probe_result *results = NULL;
	int status;

	if (!frec__options_parse(&command, &argc, &argv, &status))
		return status;
	if (argc)
		return frec__cli_usage(command.usage, "%s: doctor takes no arguments", argv[0]);
	if (frec__rights_keep(FREC_RIGHTS_OF_DOCTOR))
		return frec__cli_fail("cannot give up capabilities: %m");
	results = calloc(frec__probe_count, sizeof(*results));
	if (!results)
		return frec__cli_fail("out of memory");
	frec__probes_run(results);
	return print(results, json);
}
