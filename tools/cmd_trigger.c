// SPDX-License-Identifier: MIT
// flightrec trigger: ask the running recorders for a snapshot.
#include <getopt.h>
#include <stdio.h>

#include "recorder/service/control.h"
#include "tools/cli.h"
#include "tools/recorders.h"

#define USAGE "flightrec trigger NAME [--socket SOCKET | --pid PID]"

static const char help[] = "usage: " USAGE "\n\n"
			   "Takes a snapshot in every recorder that runs and prints the path of "
			   "each once it is written.\n"
			   "NAME says why; it is kept in the snapshot.\n\n"
			   "      --socket SOCKET  only the recorder that listens there\n"
			   "      --pid PID        only the recorder with this process number\n";

static int answered(void *context, const Flightrec__Control__Reply *reply)
{
	(void)context;
	printf("%.*s\n", (int)reply->path.len, (const char *)reply->path.data);
	return FREC_EXIT_DONE;
}

int frec_cmd_trigger(int argc, char **argv)
{
	static const struct option options[] = {{"socket", required_argument, NULL, 's'},
						{"pid", required_argument, NULL, 'p'},
						{"help", no_argument, NULL, 'h'},
						{0}};
	struct frec_recorders which = {0};
	struct frec_request request = {.kind = FREC_REQUEST_TRIGGER};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		switch (option) {
		case 's':
			which.socket = optarg;
			break;
		case 'p':
			which.pid = frec__parse_pid(optarg);
			if (!which.pid)
				return frec__cli_usage(USAGE, "--pid %s: not a process number",
						       optarg);
			break;
		default:
			return frec__cli_other_option(USAGE, help, option, argv[optind - 1]);
		}
	}
	if (argc - optind != 1)
		return frec__cli_usage(USAGE, "name one trigger");
	if (!frec__trigger_name_valid(argv[optind]))
		return frec__cli_usage(USAGE,
				       "a trigger's name is 1 to %d printable ASCII characters",
				       FREC_TRIGGER_NAME_MAX);
	if (which.socket && which.pid)
		return frec__cli_usage(USAGE, "either --socket or --pid");
	request.name = argv[optind];
	return frec__recorders_ask(&which, &request, answered, NULL);
}
