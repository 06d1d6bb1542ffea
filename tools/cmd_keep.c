// SPDX-License-Identifier: MIT
// flightrec keep: the keeper, which libflightrec starts for a service that embeds its recorder.
// People do not call it.
#include <errno.h>
#include <unistd.h>

#include "proto/limits.h"
#include "recorder/answers.h"
#include "recorder/own_process.h"
#include "recorder/session.h"
#include "tools/cli.h"
#include "tools/record_options.h"
#include "tools/recorders.h"

// frec_recorder_start() opens the socket to the service as this descriptor.
#define SERVICE_FD 3

// Forks, and ends this process, which is a child of the service, so that the service keeps no child
// that it does not know of. Returns only in the new process.
static void leave_parent(void)
{
	struct frec_error error;
	pid_t child = fork();

	if (child < 0) {
		frec__limit_error(&error, -errno, 0, "no process for the keeper");
		(void)frec__answer_error(SERVICE_FD, error.message);
	}
	if (child)
		_exit(child < 0 ? FREC_EXIT_FAILED : FREC_EXIT_DONE);
}

int frec_cmd_keep(int argc, char **argv)
{
	struct frec_record_options options;
	uint32_t pid = 0;
	bool memory_taken = false;
	const struct frec_option more[] = {
		{.name = "pid", .value = "PID", .parse = frec__parse_pid_option, .data = &pid},
		// Set if the service already writes its events into the memory of another recorder.
		{.name = "memory-taken", .flag = &memory_taken},
		{0}};
	const struct frec_command_line line = {
		.usage = "flightrec keep --pid PID [OPTION]... (started by frec_recorder_start())",
		.options = {options.table, more},
		.stops_at_argument = true,
	};
	int status;

	// In a new session, no signals of the service's terminal arrive. The process that
	// leave_parent() forks is not the leader of the session, so no terminal can become its
	// controlling one.
	setsid();
	frec__own_process(SERVICE_FD);
	frec__record_options_init(&options);
	if (!frec__options_parse(&line, &argc, &argv, &status))
		return status;
	if (!pid)
		return frec__cli_usage(line.usage, "--pid is missing");
	leave_parent();
	frec__record_options_finish(&options);
	options.session.control_optional = !options.session.control;
	options.session.engine.watch = FREC_WATCH_DESCENDANTS;
	options.session.engine.hands_memory = true;
	options.session.engine.memory_taken = memory_taken;
	options.session.engine.follows = true;
	return frec__session_keep(&options.session, pid, SERVICE_FD) ? FREC_EXIT_FAILED
								     : FREC_EXIT_DONE;
}
