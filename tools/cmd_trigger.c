// SPDX-License-Identifier: MIT
// flightrec trigger: asks the running recorders for a snapshot.
#include <stdio.h>

#include "recorder/service/control.h"
#include "tools/cli.h"
#include "tools/record_options.h"
#include "tools/recorders.h"

static int answered(void *context, const Flightrec__Control__Reply *reply)
{
	(void)context;
	printf("%.*s\n", (int)reply->path.len, (const char *)reply->path.data);
	return FREC_EXIT_DONE;
}

int frec_cmd_trigger(int argc, char **argv)
{
	struct frec_recorders which = {0};
	const struct frec_option options[] = FREC_RECORDERS_OPTIONS(&which);
	const struct frec_command_line line = {
		.usage = "flightrec trigger NAME [KEY=VALUE]... [--socket SOCKET | --pid PID]",
		.about = "Takes a snapshot in every running recorder and prints the path of each "
			 "after it is written. NAME says why; the snapshot keeps it, and up to 16 "
			 "pairs of KEY and VALUE.",
		.options = {options},
	};
	struct frec_request request = {.kind = FREC_REQUEST_TRIGGER};
	struct frec_pairs pairs = {0};
	struct frec_error error;
	int status;

	if (!frec__options_parse(&line, &argc, &argv, &status))
		return status;
	if (argc < 1)
		return frec__cli_usage(line.usage, "name one trigger");
	if (!frec__trigger_name_valid(argv[0]))
		return frec__cli_usage(line.usage,
				       "a trigger's name is 1 to %d printable ASCII characters",
				       FREC_TRIGGER_NAME_MAX);
	for (int i = 1; i < argc; i++) {
		if (frec__parse_pair(&pairs, argv[i], &error))
			return frec__cli_usage(line.usage, "%s", error.message);
	}
	if (which.socket && which.pid)
		return frec__cli_usage(line.usage, "either --socket or --pid");
	request.name = argv[0];
	request.tags = (const char *const *)argv + 1;
	return frec__recorders_ask(&which, &request, answered, NULL);
}
