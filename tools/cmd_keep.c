// SPDX-License-Identifier: MIT
// flightrec keep: the keeper, which libflightrec starts for a service that embeds its recorder.
// People do not call it.
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "recorder/session.h"
#include "tools/cli.h"
#include "tools/record_options.h"
#include "tools/recorders.h"

// The socket to the service, opened as this descriptor by frec_recorder_start().
#define SERVICE_FD 3

// If memory runs out, the kernel is to kill the service that is being recorded, not its keeper.
// This needs CAP_SYS_RESOURCE.
static void spare_from_oom_killer(void)
{
	FILE *file = fopen("/proc/self/oom_score_adj", "we");

	if (file) {
		fputs("-1000", file);
		fclose(file);
	}
}

int frec_cmd_keep(int argc, char **argv)
{
	struct frec_record_options options;
	uint32_t pid = 0;
	bool memory_taken = false;
	const struct frec_option more[] = {
		{.name = "pid", .value = "PID", .parse = frec__parse_pid_option, .data = &pid},
		// The service already writes its events into the memory of another recorder.
		{.name = "memory-taken", .flag = &memory_taken},
		{0}};
	const struct frec_command_line line = {
		.usage = "flightrec keep --pid PID [OPTION]... (started by frec_recorder_start())",
		.options = {options.table, more},
		.stops_at_argument = true,
	};
	int status;

	frec__record_options_init(&options);
	if (!frec__options_parse(&line, &argc, &argv, &status))
		return status;
	if (!pid)
		return frec__cli_usage(line.usage, "--pid is missing");
	frec__record_options_finish(&options);
	// Closes what was inherited from the service. A listening socket that stayed open in the
	// keeper would prevent the service's successor from starting.
	syscall(SYS_close_range, SERVICE_FD + 1, ~0u, 0);
	// The parent exits at once, so that the service has no child that it does not know of.
	if (fork())
		_exit(0);
	setsid();
	spare_from_oom_killer();
	options.session.engine.watch = FREC_WATCH_DESCENDANTS;
	options.session.engine.hands_memory = true;
	options.session.engine.memory_taken = memory_taken;
	return frec__session_keep(&options.session, pid, SERVICE_FD) ? FREC_EXIT_FAILED
								     : FREC_EXIT_DONE;
}
