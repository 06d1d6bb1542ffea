// SPDX-License-Identifier: MIT
// The flightrec tool: finds the command and runs it.
#include <stdio.h>
#include <string.h>

#include "proto/clocks.h"
#include "recorder/service/clock_ahead.h"
#include "tools/borrowed_rights.h"
#include "tools/cli.h"

enum needs {
	RIGHTS,	    // those that the tool was started with, and nothing of the environment
	OWN_RIGHTS, // those of the caller alone
	COMMAND,    // RIGHTS, but the command that it starts needs the environment
};

static const struct {
	const char *name;
	enum needs needs;
	int (*run)(int argc, char **argv); /* argv[0] is the command's name */
	const char *summary;
} commands[] = {
	{"run", COMMAND, frec_cmd_run, "run a command under a recorder; a snapshot when it dies"},
	{"record", RIGHTS, frec_cmd_record,
	 "record the machine until told to stop; snapshots on triggers"},
	{"keep", RIGHTS, frec_cmd_keep, NULL},
	{"complete", OWN_RIGHTS, frec_cmd_complete, NULL},
	{"trigger", OWN_RIGHTS, frec_cmd_trigger, "ask the running recorders for a snapshot"},
	{"status", OWN_RIGHTS, frec_cmd_status, "what the running recorders are doing"},
	{"events", RIGHTS, frec_cmd_events, "what can be recorded, with fields and types"},
	{"core", RIGHTS, frec_cmd_core,
	 "have the stacks of all threads in the snapshot of a crash"},
	{"doctor", RIGHTS, frec_cmd_doctor,
	 "what this machine can do and how to fix what it can't"},
	{"verify", OWN_RIGHTS, frec_cmd_verify,
	 "checksums, loss arithmetic and coverage of a snapshot"},
	{"show", OWN_RIGHTS, frec_cmd_show, "the crash report and the last events, as text"},
	{"export", OWN_RIGHTS, frec_cmd_export, "a snapshot as a Perfetto trace or as JSON"},
	{"import", OWN_RIGHTS, frec_cmd_import, "what perf recorded, as a snapshot"},
};

static void help(FILE *stream)
{
	fputs("usage: flightrec COMMAND [OPTION]...\n\n", stream);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		// Commands without a summary are called by programs, not by people.
		if (commands[i].summary)
			fprintf(stream, "  %-10s %s\n", commands[i].name, commands[i].summary);
	}
	fputs("\n`flightrec COMMAND --help` tells more. Exit status: 0 done, 1 failed, 2 bad "
	      "usage.\n",
	      stream);
}

// The kernel takes the times of records from its own clocks, which differ from those of this
// process if the process is in a time namespace.
static void use_clocks_of_kernel(void)
{
	struct frec__clock_ahead ahead;

	if (!frec__clock_ahead(&ahead))
		frec__clocks_set_ahead(ahead.monotonic, ahead.boottime);
}

static int run(size_t index, int argc, char **argv)
{
	int r = 0;

	if (commands[index].needs == OWN_RIGHTS)
		r = frec__borrowed_rights_return();
	else if (commands[index].needs == RIGHTS)
		frec__borrowed_rights_forget_environment();
	if (r)
		return frec__cli_fail("cannot give up the rights of this program: %s",
				      strerror(-r));
	return commands[index].run(argc, argv);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		help(stderr);
		return FREC_EXIT_USAGE;
	}
	use_clocks_of_kernel();
	if (!strcmp(argv[1], "--version")) {
		puts("flightrec " FREC_VERSION);
		return FREC_EXIT_DONE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		help(stdout);
		return FREC_EXIT_DONE;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!strcmp(argv[1], commands[i].name))
			return run(i, argc - 1, argv + 1);
	}
	return frec__cli_usage(
		"flightrec COMMAND [OPTION]...; `flightrec --help` lists the commands",
		"%s: no such command", argv[1]);
}
