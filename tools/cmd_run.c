// SPDX-License-Identifier: MIT
// flightrec run: record a command from its first event on; a snapshot when it dies.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "recorder/command.h"
#include "tools/cli.h"
#include "tools/record_options.h"

static const char usage[] =
	"flightrec run [OPTION]... [--] COMMAND [ARGUMENT]...\n"
	"Runs COMMAND under a recorder. A snapshot is taken when it or a process that it started "
	"crashes or is\n"
	"killed, when it exits with a status other than 0, and on `flightrec trigger NAME` or "
	"SIGUSR2.\n"
	"Exits with COMMAND's status, 128 plus the signal's number when one killed "
	"it.\n" FREC_RECORD_USAGE "      --socket SOCKET   where `flightrec trigger` finds it "
	"(default /run/flightrec/PID.sock)\n";

// The file that execvp(3) will run.
static bool find_command(const char *name, char *ret, size_t size)
{
	const char *path = getenv("PATH");

	if (strchr(name, '/')) {
		snprintf(ret, size, "%s", name);
		return access(ret, X_OK) == 0;
	}
	for (const char *p = path ? path : "/usr/local/bin:/usr/bin:/bin"; p && *p;) {
		int length = (int)strcspn(p, ":");

		snprintf(ret, size, "%.*s/%s", length, p, name);
		if (access(ret, X_OK) == 0)
			return true;
		p += length + (p[length] == ':');
	}
	return false;
}

int frec_cmd_run(int argc, char **argv)
{
	struct frec_record_options options;
	struct frec_session session;
	struct frec_command command;
	struct frec_error error;
	char path[4096];
	int first, r, status;

	frec__record_options_init(&options);
	first = frec__record_options_parse(&options, argc, argv, usage);
	if (first < 0)
		return -1 - first;
	if (first == argc)
		return frec__cli_usage(usage, "no command to run");
	if (!find_command(argv[first], path, sizeof(path)))
		return frec__cli_fail("%s: no such command", argv[first]);
	options.session.engine.watch = FREC_WATCH_DESCENDANTS;
	options.session.engine.hands_memory = true;
	r = frec__command_start(&command, argv + first);
	if (r)
		return frec__cli_fail("cannot start a process: %s", strerror(-r));
	if (frec__session_start(&session, &options.session, &error)) {
		frec__command_cancel(&command);
		return frec__cli_fail("%s", error.message);
	}
	frec__command_release(&command, &session, path, argv + first);
	status = frec__command_run(&command, &session);
	frec__session_end(&session);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
