// SPDX-License-Identifier: MIT
// flightrec keep: the keeper, which libflightrec starts for a service that embeds its recorder. Not
// for people to call.
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "recorder/service/control.h"
#include "recorder/engine_shm.h"
#include "tools/cli.h"
#include "tools/session.h"

// The socket to the service, put there by frec_recorder_start().
#define SERVICE_FD 3

static const char usage[] =
	"flightrec keep --pid PID [OPTION]... (started by frec_recorder_start())\n";

// The last to go when memory runs out: the service that is being recorded is the better victim.
// Needs CAP_SYS_RESOURCE.
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
	struct frec_session session;
	struct frec_error error;
	char text[600];
	int first, memory;

	frec__record_options_init(&options);
	first = frec__record_options_parse(&options, argc, argv, usage);
	if (first < 0)
		return -1 - first;
	if (!options.pid)
		return frec__cli_usage(usage, "--pid is missing");
	// A listening port of the service that lived on in here would keep its successor from
	// starting.
	syscall(SYS_close_range, SERVICE_FD + 1, ~0u, 0);
	// The parent returns at once, so that the service has no child that it does not know.
	if (fork())
		_exit(0);
	setsid();
	spare_from_oom_killer();
	options.engine.watch = FREC_WATCH_DESCENDANTS;
	options.engine.hands_memory = true;
	if (frec__session_start(&session, &options, &error)) {
		snprintf(text, sizeof(text), "error %s", error.message);
		frec__control_send(SERVICE_FD, text, -1);
		return FREC_EXIT_FAILED;
	}
	frec__engine_watch(&session.engine, options.pid, -1, true);
	session.server.until = (int)syscall(SYS_pidfd_open, options.pid, 0);
	frec__server_adopt(&session.server, SERVICE_FD, true);
	memory = session.engine.transport == FREC_TRANSPORT_SHM
			 ? frec__engine_shm_fd(&session.engine, geteuid(), 0, &error)
			 : -1;
	if (session.server.until >= 0 && !frec__control_send(SERVICE_FD, "ready", memory))
		do {
			// Who ends the service also signals its processes; the keeper is there
			// until the service is not.
			session.server.interrupted = 0;
			frec__server_run(&session.server);
		} while (session.server.interrupted);
	frec__session_end(&session);
	return FREC_EXIT_DONE;
}
