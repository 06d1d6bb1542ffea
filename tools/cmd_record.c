// SPDX-License-Identifier: MIT
// flightrec record: record the machine until told to stop.
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/cli.h"
#include "tools/session.h"

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
	options.engine.watch = FREC_WATCH_EMITTERS;
	options.engine.serves_others = options.engine.hands_memory = options.listen;
	if (frec__session_start(&session, &options, &error))
		return frec__cli_fail("%s", error.message);
	// Clients read their own snapshots by the path they are told; they cannot list the folder.
	// One that was there before has its owner's mode.
	if (options.listen && session.engine.folder.made)
		(void)chmod(session.engine.folder.path, 0711);
	if (isatty(STDERR_FILENO) || options.listen)
		fprintf(stderr,
			"flightrec: recording %zu sources into %zu rings of %llu KiB; Ctrl-C ends "
			"it\n",
			session.engine.source_count, session.engine.ring_count,
			(unsigned long long)options.engine.ring_size >> 10);
	frec__server_run(&session.server);
	frec__session_end(&session);
	return FREC_EXIT_DONE;
}
