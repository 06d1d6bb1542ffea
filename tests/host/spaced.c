// SPDX-License-Identifier: MIT
// A service in namespaces, or one that makes some.
//
//	spaced WHAT
//
//	plain		emits and aborts
//	fork		emits; makes a time namespace for its children; forks a child, which
//			emits; emits again and aborts
//	pids		emits; makes a pid namespace for its children; forks a child, which emits
//			and waits until it may end; emits again and aborts
//	enter		emits; enters a time namespace of a child, as nsenter(1) does; emits, aborts
//	vfork		emits in the child of a vfork, then in itself, and aborts
//	threads N	N threads, one after the other, each with a name of its own, emit once; it
//			aborts
//	churn N		N children, one after the other, that exit at once; then it aborts
//	leave		emits and exits
//
// Prints the role of each process that emits, and its pid according to /proc; but nothing for the
// child of vfork and for threads.
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <flightrec/event.h>

FREC_EVENT(test, step, FREC_STR(role), FREC_U32(number));

#define COUNT 10

static void emit(const char *role)
{
	char self[32];
	ssize_t n = readlink("/proc/self", self, sizeof(self) - 1);

	self[n < 0 ? 0 : n] = 0;
	printf("%s %s\n", role, self);
	fflush(stdout);
	for (uint32_t i = 1; i <= COUNT; i++)
		frec_test_step(role, i);
}

static void wait_for_line(void)
{
	char line[16];

	if (!fgets(line, sizeof(line), stdin))
		exit(2);
}

static void write_offsets(const char *text)
{
	int fd = open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0) {
		perror("timens_offsets");
		exit(77);
	}
	close(fd);
}

static void make(int flag)
{
	if (unshare(flag)) {
		perror("unshare");
		exit(77);
	}
}

static void enter(void)
{
	char path[64];
	pid_t child;
	int fd;

	make(CLONE_NEWTIME);
	write_offsets("monotonic 86400 0\n");
	child = fork();
	if (!child) {
		pause();
		_exit(0);
	}
	snprintf(path, sizeof(path), "/proc/%d/ns/time", child);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWTIME)) {
		perror("setns");
		exit(77);
	}
	close(fd);
	kill(child, SIGTERM);
	waitpid(child, NULL, 0);
}

static void *thread(void *number)
{
	char name[16];

	snprintf(name, sizeof(name), "t%d", *(int *)number);
	pthread_setname_np(pthread_self(), name);
	frec_test_step(name, (uint32_t) * (int *)number);
	return NULL;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	pid_t child;

	if (!strcmp(what, "fork") || !strcmp(what, "pids")) {
		emit("before");
		if (!strcmp(what, "fork")) {
			make(CLONE_NEWTIME);
			write_offsets("monotonic 86400 250000000\n");
		} else {
			make(CLONE_NEWPID);
		}
		child = fork();
		if (!child) {
			emit("child");
			if (!strcmp(what, "pids"))
				wait_for_line();
			_exit(0);
		}
		waitpid(child, NULL, 0);
		emit("after");
	} else if (!strcmp(what, "enter")) {
		emit("before");
		enter();
		emit("after");
	} else if (!strcmp(what, "vfork")) {
		child = vfork();
		if (!child) {
			frec_test_step("child", 1);
			_exit(0);
		}
		emit("after");
	} else if (!strcmp(what, "threads")) {
		for (int i = 0; i < atoi(argv[2]); i++) {
			pthread_t id;

			if (pthread_create(&id, NULL, thread, &i) || pthread_join(id, NULL))
				return 2;
		}
	} else if (!strcmp(what, "churn")) {
		for (int i = 0; i < atoi(argv[2]); i++) {
			child = fork();
			if (!child)
				_exit(0);
			waitpid(child, NULL, 0);
		}
	} else {
		emit(what);
	}
	if (strcmp(what, "leave") != 0)
		abort();
	return 0;
}
