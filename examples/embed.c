// SPDX-License-Identifier: MIT
// A service with a recorder of its own. If it dies, a snapshot of what it did last is in FOLDER.
//
//	./embed FOLDER [crash]
//	flightrec show FOLDER/*.frec
//
// No privilege is needed: without one, the recorder receives the events through shared memory.
#include <flightrec/event.h>
#include <flightrec/recorder.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

FREC_EVENT(shop, order_placed, FREC_U64(order_id), FREC_STR(customer));

static void serve(int crash)
{
	int *volatile nothing = NULL;

	for (uint64_t order = 1; order <= 100; order++)
		frec_shop_order_placed(order, order % 2 ? "ada" : "grace");
	if (crash)
		*nothing = 1;
}

int main(int argc, char **argv)
{
	char error[300] = "";
	const char *const events[] = {"shop:*", NULL};
	struct frec_recorder_options options = {
		.size = sizeof(options),
		.folder = argc > 1 ? argv[1] : NULL,
		.events = events,
		.ring_size = 256 << 10,
		.error = error,
		.error_size = sizeof(error),
	};
	struct frec_recorder *recorder = NULL;
	int r = frec_recorder_start(&options, &recorder);

	// A service that cannot be recorded still serves.
	if (r)
		fprintf(stderr, "embed: not recorded: %s\n", *error ? error : strerror(-r));
	serve(argc > 2 && !strcmp(argv[2], "crash"));
	frec_recorder_stop(recorder);
	return EXIT_SUCCESS;
}
