// SPDX-License-Identifier: MIT
// flightrec run: records a command from its first event on; saves a snapshot when the command dies.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "recorder/command.h"
#include "tools/borrowed_rights.h"
#include "tools/cli.h"
#include "tools/record_options.h"

// Finds the file that execvp(3) will run. Returns false if there is none.
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
	const struct frec_command_line line = {
		.usage = "flightrec run [OPTION]... [--] COMMAND [ARGUMENT]...",
		.about = "Runs COMMAND under a recorder. A snapshot is taken when it or a process "
			 "that it started crashes or is killed, when it exits with a status other "
			 "than 0, and on `flightrec trigger NAME` or SIGUSR2. Exits with COMMAND's "
			 "status, or 128 plus the number of the signal that killed it.",
		.options = {options.table},
		.stops_at_argument = true,
	};
	struct frec_session session;
	struct frec_command command;
	struct frec_error error;
	char path[4096];
	int status;

	frec__record_options_init(&options);
	if (!frec__options_parse(&line, &argc, &argv, &status))
		return status;
	if (!argc)
		return frec__cli_usage(line.usage, "no command to run");
	if (!find_command(argv[0], path, sizeof(path)))
		return frec__cli_fail("%s: no such command", argv[0]);
	frec__record_options_finish(&options);
	options.session.engine.watch = FREC_WATCH_DESCENDANTS;
	options.session.engine.hands_memory = true;
	if (frec__command_start(&command, argv, &error))
		return frec__cli_fail("%s", error.message);
	// The process that becomes the command has the environment. The command has none of the
	// borrowed rights, because exec takes them away.
	frec__borrowed_rights_forget_environment();
	if (frec__session_start(&session, &options.session, &error)) {
		frec__command_cancel(&command);
		return frec__cli_fail("%s", error.message);
	}
	frec__command_release(&command, &session, path, argv);
	status = frec__command_run(&command, &session);
	frec__session_end(&session);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
