// SPDX-License-Identifier: MIT
// A service that is recorded without privileges and that can try to harm its recorder.
//
//	plain_service WHAT [ARGUMENT]...	prints a line per check, "ok ..." or "FAILED ..."
//
//	forks COUNT			COUNT children emit 10 events each, all at once; then it
//					aborts
//	child				a child emits and is killed by SIGSEGV; the service lives on
//	exec END			emits, executes itself again, emits once more and ends
//	closed				closes all descriptors from 3 on, emits, executes itself
//					again, and emits to no recorder
//	embed KEEPER FOLDER END		starts a recorder of its own, emits and ends
//	restart KEEPER FOLDER END	the same, but waits for a line while the test kills its
//					keeper, and then starts another recorder
//	attach SOCKET END		uses the recorder that listens there, emits and ends; END
//					may also be wait, again or forks
//	wait				emits and prints whether its events are on; waits for a
//					line; emits and prints that again
//	wild				emits, then overwrites the memory of its events
//	old WHAT [ARGUMENT]...		WHAT, on a kernel that does not report how processes end
//
// END: ok, exit, abort, segv, kill, term.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <flightrec/event.h>
#include <flightrec/recorder.h>

#include "old_kernel.h"

FREC_EVENT(test, step, FREC_U32(process), FREC_U32(number), FREC_STR(text));

static char error[256];
static struct frec_recorder *recorder;

static void check(int good, const char *what)
{
	printf("%s %s\n", good ? "ok" : "FAILED", what);
	fflush(stdout);
}

static void emit(uint32_t process, uint32_t count)
{
	for (uint32_t i = 1; i <= count; i++)
		frec_test_step(process, i, "as it was emitted");
}

// Overwrites the last writable mapping of the shared memory. That mapping is a ring.
static int write_wildly(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long from, to, ring = 0, size = 0;
	char line[512], rights[8];

	while (maps && fgets(line, sizeof(line), maps)) {
		if (strstr(line, "/memfd:") &&
		    sscanf(line, "%lx-%lx %7s", &from, &to, rights) == 3 && rights[1] == 'w') {
			ring = from;
			size = to - from;
		}
	}
	if (maps)
		fclose(maps);
	if (!ring)
		return 2;
	memset((void *)ring, 0x5a, size);
	return 3;
}

static int end(const char *how)
{
	const int none = 0;

	fflush(stdout);
	if (!strcmp(how, "abort"))
		abort();
	if (!strcmp(how, "segv"))
		raise(SIGSEGV);
	if (!strcmp(how, "kill"))
		kill(getpid(), SIGKILL);
	if (!strcmp(how, "term"))
		raise(SIGTERM);
	return strcmp(how, "exit") ? none : 3;
}

static void wait_for_line(const char *said)
{
	char line[16];

	puts(said);
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		exit(2);
}

static int start(struct frec_recorder_options options)
{
	static const char *const events[] = {"test:*", NULL};
	int r;

	options.size = sizeof(options);
	options.ring_size = 1 << 20;
	options.events = events;
	options.transport = "shm";
	options.error = error;
	options.error_size = sizeof(error);
	r = frec_recorder_start(&options, &recorder);
	check(!r, r ? error : "it has a recorder");
	check(frec_test_step_enabled(), "its events are on when that returns");
	return r;
}

static int forks(int count)
{
	for (int i = 1; i <= count; i++) {
		pid_t child = fork();

		if (!child) {
			emit((uint32_t)i, 10);
			_exit(0);
		}
		check(child > 0, "a child");
	}
	while (wait(NULL) > 0 || errno == EINTR)
		;
	emit(0, 10);
	return end("abort");
}

// Waits long enough for the recorder to find this process in /proc, even on a busy machine.
static void wait_to_be_found(void)
{
	sleep(2);
}

static int child(void)
{
	pid_t pid = fork();

	if (!pid) {
		wait_to_be_found();
		emit(1, 10);
		end("segv");
	}
	waitpid(pid, NULL, 0);
	wait_for_line("a child crashed");
	return 0;
}

static int become(char **argv, const char *what, const char *how)
{
	execl("/proc/self/exe", argv[0], what, how, (char *)NULL);
	return 1;
}

static int restart(const char *keeper, const char *folder, const char *how)
{
	const struct frec_recorder_options options = {.keeper = keeper, .folder = folder};

	start(options);
	emit(1, 10);
	wait_for_line("kill the keeper");
	emit(2, 10);
	check(!frec_test_step_enabled(), "its events are off once the keeper is gone");
	start(options);
	emit(3, 10);
	return end(how);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "", *first = argc > 2 ? argv[2] : "";

	if (!strcmp(what, "old")) {
		argv[1] = argv[0];
		return be_an_old_kernel() || execv("/proc/self/exe", argv + 1);
	}
	if (!strcmp(what, "forks"))
		return forks(atoi(first));
	if (!strcmp(what, "child"))
		return child();
	if (!strcmp(what, "exec")) {
		check(frec_test_step_enabled(), "its events are on");
		emit(1, 10);
		return become(argv, "image", first);
	}
	if (!strcmp(what, "image")) {
		check(frec_test_step_enabled(), "they are on in the second image");
		emit(2, 10);
		return end(first);
	}
	if (!strcmp(what, "wild")) {
		emit(1, 10);
		return write_wildly();
	}
	if (!strcmp(what, "closed")) {
		emit(1, 10);
		if (close_range(3, ~0u, 0))
			return 1;
		emit(2, 10);
		return become(argv, "blind", "exit");
	}
	if (!strcmp(what, "blind")) {
		check(!frec_test_step_enabled(), "nothing listens to the second image");
		emit(3, 10);
		return end(first);
	}
	if (!strcmp(what, "embed")) {
		if (start((struct frec_recorder_options){.keeper = first, .folder = argv[3]}))
			return 1;
		emit(1, 10);
		return end(argv[4]);
	}
	if (!strcmp(what, "restart"))
		return restart(first, argv[3], argv[4]);
	if (!strcmp(what, "attach")) {
		if (start((struct frec_recorder_options){.socket = first}))
			return 1;
		if (!strcmp(argv[3], "forks")) {
			if (!fork()) {
				wait_to_be_found();
				emit(2, 10);
				_exit(0);
			}
			wait(NULL);
			emit(1, 10);
			return end("abort");
		}
		if (!strcmp(argv[3], "again")) {
			frec_recorder_stop(recorder);
			check(!start((struct frec_recorder_options){.socket = first}),
			      "it comes back to the same recorder");
			return end("ok");
		}
		emit(1, 10);
		if (!strcmp(argv[3], "wait")) {
			wait_for_line("attached");
			return end("segv");
		}
		return end(argv[3]);
	}
	if (!strcmp(what, "wait")) {
		emit(1, 10);
		wait_for_line(frec_test_step_enabled() ? "on" : "off");
		emit(2, 10);
		puts(frec_test_step_enabled() ? "on" : "off");
		return 0;
	}
	return 2;
}
