// SPDX-License-Identifier: MIT
// flightrec record: records the machine until it is told to stop.
#include <stdio.h>
#include <unistd.h>

#include "recorder/priority.h"
#include "recorder/session.h"
#include "tools/cli.h"
#include "tools/record_options.h"

int frec_cmd_record(int argc, char **argv)
{
	struct frec_record_options options;
	const struct frec_option more[] = {
		{.name = "listen",
		 .value = "SOCKET",
		 .text = &options.session.listen,
		 .help = "also serve processes without rights: through this socket they get a "
			 "user_events descriptor or memory for their events, and snapshots of "
			 "their own events (see flightrec-record(1))"},
		{0}};
	const struct frec_command_line line = {
		.usage = "flightrec record [OPTION]...",
		.about = "Records until SIGINT, SIGTERM or SIGHUP. A snapshot is taken on "
			 "`flightrec trigger NAME`, on SIGUSR2, and when a process that emits "
			 "recorded events "
			 "crashes or is killed by SIGKILL or the OOM killer.",
		.options = {options.table, more},
		.stops_at_argument = true,
	};
	struct frec_session session;
	struct frec_error error;
	int status;

	frec__record_options_init(&options);
	if (!frec__options_parse(&line, &argc, &argv, &status))
		return status;
	if (argc)
		return frec__cli_usage(line.usage, "%s: record takes no command; run does",
				       argv[0]);
	frec__record_options_finish(&options);
	options.session.notifies = true;
	options.session.engine.watch = FREC_WATCH_EMITTERS;
	options.session.engine.serves_others = options.session.listen;
	options.session.engine.hands_memory = options.session.listen;
	if (options.session.listen)
		frec__priority_raise();
	if (frec__session_start(&session, &options.session, &error))
		return frec__cli_fail("%s", error.message);
	if (isatty(STDERR_FILENO) || options.session.listen)
		fprintf(stderr,
			"flightrec: recording %zu sources into %zu rings of %llu KiB; events of "
			"services by %s: %s; Ctrl-C ends it\n",
			session.engine.sources.count, session.engine.rings.count,
			(unsigned long long)session.engine.rings.size >> 10,
			frec__transport_names[session.engine.transport],
			session.engine.transport_why);
	session.server.ends_soon = true;
	frec__server_run(&session.server);
	frec__session_end(&session);
	return FREC_EXIT_DONE;
}
