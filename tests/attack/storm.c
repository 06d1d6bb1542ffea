// SPDX-License-Identifier: MIT
// The attacker of test_shares.py, which runs this as user nobody:
//
//	storm crash		children crash without having emitted anything, up to 1000 a second
//	storm emit COUNT	COUNT children at a time emit an event and crash together
//
// Prints a line when it has begun. Ends at the end of its input, and then prints how many children
// have crashed.
#include <flightrec/event.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define AT_ONCE_MAX 64

FREC_EVENT(storm, gust, FREC_U64(number));

static bool is_over(void)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

	return poll(&input, 1, 0) != 0;
}

static void crash(void)
{
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
	_exit(1);
}

// The children wait for the pipe to close, so that they emit and crash together.
static void crash_together(unsigned long count, bool emits)
{
	int gate[2];
	char byte;

	if (pipe(gate))
		exit(1);
	for (unsigned long i = 0; i < count; i++) {
		if (fork())
			continue;
		close(gate[1]);
		if (read(gate[0], &byte, 1))
			_exit(1);
		if (emits)
			frec_storm_gust(i);
		crash();
	}
	close(gate[1]);
	close(gate[0]);
	while (wait(NULL) > 0)
		;
}

static void storm(unsigned long at_once, bool emits)
{
	unsigned long crashed = 0;

	// A millisecond for each leaves the machine time for its other users.
	for (; !is_over(); crashed += at_once) {
		crash_together(at_once, emits);
		usleep((unsigned int)at_once * 1000);
	}
	printf("%lu\n", crashed);
}

int main(int argc, char **argv)
{
	const struct rlimit no_core = {0, 0};
	unsigned long at_once = argc == 3 ? strtoul(argv[2], NULL, 10) : 8;

	setrlimit(RLIMIT_CORE, &no_core);
	if (argc < 2 || at_once > AT_ONCE_MAX)
		return 2;
	printf("begun\n");
	fflush(stdout);
	storm(at_once, !strcmp(argv[1], "emit"));
	return 0;
}
