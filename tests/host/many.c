// SPDX-License-Identifier: MIT
// Processes that die together or again and again, and services that ask for many snapshots.
//
//	many storm N	N processes raise SIGABRT at the same time
//	many loop N	one process after the other starts and raises SIGABRT
//	many group N	N processes are killed by one kill(2) of their group
//	many family	a child raises SIGABRT, and its parent does so after wait(2)
//	many triggers FOLDER KEEPER
//			asks an embedded recorder for snapshots, and checks what frec_trigger()
//			returns
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <flightrec/event.h>
#include <flightrec/recorder.h>

FREC_EVENT(many, step, FREC_U64(number));

// The stack is deep, so that the stacks of all processes do not fit into a small ring.
__attribute__((noinline)) static void die_here(unsigned int depth)
{
	volatile char room[1024];

	memset((char *)room, (int)depth, sizeof(room));
	if (depth)
		die_here(depth - 1);
	else
		raise(SIGABRT);
	__asm__ volatile("" ::"r"(room) : "memory");
}

static int storm(unsigned int count)
{
	int start[2], ready[2];
	char byte;

	if (pipe(start) || pipe(ready))
		return 1;
	for (unsigned int i = 0; i < count; i++) {
		if (fork())
			continue;
		FREC_EMIT(many, step, i);
		close(start[1]);
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		if (!read(start[0], &byte, 1))
			die_here(32);
		_exit(1);
	}
	for (unsigned int i = 0; i < count; i++) {
		if (read(ready[0], &byte, 1) != 1)
			return 1;
	}
	close(start[1]); // all children go on at once
	while (wait(NULL) > 0)
		;
	return 0;
}

static int loop(unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		if (!fork()) {
			FREC_EMIT(many, step, i);
			die_here(4);
		}
		wait(NULL);
		usleep(20000);
	}
	return 0;
}

static int group(unsigned int count)
{
	pid_t leader = 0;
	int ready[2];
	char byte;

	if (pipe(ready))
		return 1;
	for (unsigned int i = 0; i < count; i++) {
		pid_t child = fork();

		if (!child) {
			setpgid(0, leader);
			FREC_EMIT(many, step, i);
			if (write(ready[1], "", 1) != 1)
				_exit(1);
			for (;;)
				pause();
		}
		setpgid(child, leader);
		if (!leader)
			leader = child;
	}
	for (unsigned int i = 0; i < count; i++) {
		if (read(ready[0], &byte, 1) != 1)
			return 1;
	}
	kill(-leader, SIGKILL);
	while (wait(NULL) > 0)
		;
	return 0;
}

static int family(void)
{
	pid_t parent = fork();

	if (!parent) {
		if (!fork()) {
			FREC_EMIT(many, step, 1);
			die_here(1);
		}
		wait(NULL);
		FREC_EMIT(many, step, 2);
		die_here(1);
	}
	waitpid(parent, NULL, 0);
	return 0;
}

static int failures;

static void check(int is, int expected, const char *what)
{
	printf("%s %s: %d\n", is == expected ? "ok     " : "FAILED ", what, is);
	failures += is != expected;
}

// Looks up this process's keeper by command line. Returns the keeper's pid, or 0 after a failed
// check, because kill(0, ...) would signal the whole process group.
static pid_t keeper(void)
{
	char command[100];
	int pid = 0;
	FILE *list;

	snprintf(command, sizeof(command), "pgrep -f -- '^flightrec keep --pid %d ' | head -1",
		 (int)getpid());
	list = popen(command, "r");
	if (!list || fscanf(list, "%d", &pid) != 1)
		pid = 0;
	if (list)
		pclose(list);
	check(pid > 0, 1, "its keeper is found");
	return pid;
}

static int triggers(const char *folder, const char *program)
{
	char error[200] = "", longest[102];
	struct frec_recorder_options options = {.size = sizeof(options),
						.folder = folder,
						.keeper = program,
						.error = error,
						.error_size = sizeof(error),
						.transport = "shm",
						.cooldown_ms = 3600000};
	struct frec_recorder *recorder;
	uint64_t number = 0;
	int r, accepted;
	pid_t pid;

	check(frec_trigger("early"), -ENOTCONN, "no recorder");
	check(frec_recorder_start(&options, &recorder), 0, error);
	memset(longest, 'x', sizeof(longest));
	longest[101] = 0;
	check(frec_trigger(longest), -EINVAL, "101 characters");
	longest[100] = 0;
	check(frec_trigger(NULL), -EINVAL, "NULL");
	check(frec_trigger(""), -EINVAL, "no character");
	check(frec_trigger("a\tb"), -EINVAL, "a tab");
	check(frec_trigger("\xc3\xa4"), -EINVAL, "not ASCII");
	for (int i = 0; i < 8; i++) {
		FREC_EMIT(many, step, ++number);
		check(frec_trigger("slow checkout"), 0, "slow checkout");
	}
	FREC_EMIT(many, step, ++number);
	check(frec_trigger(longest), 0, "another name");
	frec_recorder_stop(recorder);
	check(frec_trigger("late"), -ENOTCONN, "after the stop");

	// The keeper is stopped and reads no triggers, so at some point no more fit.
	check(frec_recorder_start(&options, &recorder), 0, error);
	pid = keeper();
	if (!pid)
		return 1;
	kill(pid, SIGSTOP);
	for (accepted = 0; accepted < 100000 && !(r = frec_trigger("flood")); accepted++)
		;
	check(r, -EAGAIN, "more than can wait");
	errno = 7;
	check(frec_trigger("flood"), -EAGAIN, "still more");
	check(errno, 7, "errno is left alone");
	kill(pid, SIGCONT);
	frec_recorder_stop(recorder);
	printf("accepted %d\n", accepted);

	check(frec_recorder_start(&options, &recorder), 0, error);
	pid = keeper();
	if (!pid)
		return 1;
	kill(pid, SIGKILL);
	while (!(r = frec_trigger("gone")))
		usleep(1000);
	check(r, -ENOTCONN, "the recorder was killed");
	frec_recorder_stop(recorder);
	return failures > 0;
}

int main(int argc, char **argv)
{
	unsigned int count = argc > 2 ? (unsigned int)atoi(argv[2]) : 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 2 && !strcmp(argv[1], "storm"))
		return storm(count);
	if (argc > 2 && !strcmp(argv[1], "loop"))
		return loop(count);
	if (argc > 2 && !strcmp(argv[1], "group"))
		return group(count);
	if (argc > 1 && !strcmp(argv[1], "family"))
		return family();
	if (argc > 3 && !strcmp(argv[1], "triggers"))
		return triggers(argv[2], argv[3]);
	return 2;
}
