// SPDX-License-Identifier: MIT
// A service of tests/soak: emits numbered events, and ends as it is told.
//
//	soak_service TEXT SOCKET COUNT MICROSECONDS END
//
// TEXT is a field of each event. With a SOCKET other than "-", the events go to the recorder that
// listens there. It waits until the event is on, for five seconds at most, and emits COUNT events
// (0: for ever, or until its parent ends) with a pause of MICROSECONDS. END is crash or exit.
#include <flightrec/event.h>
#include <flightrec/recorder.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define TRIES 500
#define TRY_MICROSECONDS 10000

FREC_EVENT(soak, work, FREC_U64(sequence), FREC_STR(text));

static volatile int *volatile nowhere;

static void __attribute__((noinline)) die_here(void)
{
	*nowhere = 1;
}

static void attach(const char *socket)
{
	struct frec_recorder_options options = {.size = sizeof(options), .socket = socket};
	struct frec_recorder *recorder;
	char error[256] = "";

	options.error = error;
	options.error_size = sizeof(error);
	if (frec_recorder_start(&options, &recorder))
		fprintf(stderr, "soak_service: %s\n", error);
}

int main(int argc, char **argv)
{
	unsigned long count, pause;

	if (argc != 6)
		return 2;
	count = strtoul(argv[3], NULL, 10);
	pause = strtoul(argv[4], NULL, 10);
	if (!count)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (strcmp(argv[2], "-"))
		attach(argv[2]);
	for (int i = 0; i < TRIES && !frec_soak_work_enabled(); i++)
		usleep(TRY_MICROSECONDS);
	if (!frec_soak_work_enabled())
		return 3;
	for (unsigned long i = 1; !count || i <= count; i++) {
		frec_soak_work(i, argv[1]);
		usleep((useconds_t)pause);
	}
	if (!strcmp(argv[5], "crash"))
		die_here();
	return 0;
}
