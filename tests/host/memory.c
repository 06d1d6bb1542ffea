/* SPDX-License-Identifier: MIT */
/* A service whose memory a test measures. It is built with libflightrec and, for comparison,
 * without it. It waits while it is measured. */
#include <stdio.h>
#include <unistd.h>

#ifdef WITH_FLIGHTREC
#include <flightrec/event.h>
#include <flightrec/recorder.h>

#define EVENTS 100

FREC_EVENT(memory, one, FREC_U64(number), FREC_STR(text));
FREC_EVENT(memory, two, FREC_U64(number), FREC_STR(text), FREC_F64(ratio));

static void record(char **argv)
{
	static const char *const events[] = {"memory:*", NULL};
	struct frec_recorder_options options = {.size = sizeof(options),
						.keeper = argv[1],
						.folder = argv[2],
						.transport = argv[3],
						.events = events};
	struct frec_recorder *recorder;

	if (frec_recorder_start(&options, &recorder))
		puts("not recorded");
	for (int i = 0; i < EVENTS; i++) {
		frec_memory_one((uint64_t)i, "text");
		frec_memory_two((uint64_t)i, "text", 0.5);
	}
}
#endif

int main(int argc, char **argv)
{
	(void)argv;
#ifdef WITH_FLIGHTREC
	if (argc == 4)
		record(argv);
#else
	(void)argc;
#endif
	puts("ready");
	fflush(stdout);
	pause();
	return 0;
}
