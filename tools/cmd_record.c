// SPDX-License-Identifier: MIT
// flightrec record: record the machine until told to stop.
#include <stdio.h>
#include <unistd.h>

#include "recorder/session.h"
#include "tools/cli.h"
#include "tools/record_options.h"

static const char usage[] =
	"flightrec record [OPTION]...\n"
	"Records until SIGINT or SIGTERM. A snapshot is taken on `flightrec trigger NAME`, on "
	"SIGUSR2, and when a\n"
	"process that emits recorded events crashes, is killed by SIGKILL or by the OOM "
	"killer.\n" FREC_RECORD_USAGE "      --listen SOCKET   serve processes without rights too: "
	"they get a user_events descriptor, or memory to\n"
	"                        write into, and snapshots of their own events (see "
	"<flightrec/recorder.h>)\n"
	"      --socket SOCKET   where `flightrec trigger` finds it (default "
	"/run/flightrec/PID.sock)\n";

int frec_cmd_record(int argc, char **argv)
{
	struct frec_record_options options;
	struct frec_session session;
	struct frec_error error;
	int first;

	frec__record_options_init(&options);
	first = frec__record_options_parse(&options, argc, argv, usage);
	if (first < 0)
		return -1 - first;
	if (first < argc)
		return frec__cli_usage(usage, "%s: record takes no command; run does", argv[first]);
	options.session.engine.watch = FREC_WATCH_EMITTERS;
	options.session.engine.serves_others = options.session.listen;
	options.session.engine.hands_memory = options.session.listen;
	if (frec__session_start(&session, &options.session, &error))
		return frec__cli_fail("%s", error.message);
	if (isatty(STDERR_FILENO) || options.session.listen)
		fprintf(stderr,
			"flightrec: recording %zu sources into %zu rings of %llu KiB; Ctrl-C ends "
			"it\n",
			session.engine.sources.count, session.engine.rings.count,
			(unsigned long long)session.engine.rings.size >> 10);
	frec__server_run(&session.server);
	frec__session_end(&session);
	return FREC_EXIT_DONE;
}
