// SPDX-License-Identifier: MIT
// Proves that the end of a process can be read through its pidfd: by its parent, by a stranger
// while the process is a zombie, and by a stranger after the parent has waited for it.
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "recorder/processes/process_end.h"
#include "tests/host/old_kernel.h"

static const struct {
	const char *what;
	int signal, status; /* as wait(2) reports it, without the core dump flag */
} ends[] = {
	{"a good end", 0, 0},	       {"an exit status", 0, 3 << 8}, {"SIGKILL", SIGKILL, SIGKILL},
	{"SIGSEGV", SIGSEGV, SIGSEGV}, {"SIGTERM", SIGTERM, SIGTERM},
};

static pid_t start(size_t i, int go)
{
	const struct rlimit no_core = {0, 0};
	pid_t pid = fork();
	char byte;

	if (pid)
		return pid;
	setrlimit(RLIMIT_CORE, &no_core);
	if (read(go, &byte, 1) < 0)
		_exit(99);
	if (ends[i].signal) {
		signal(ends[i].signal, SIG_DFL);
		kill(getpid(), ends[i].signal);
	}
	_exit(ends[i].status >> 8);
}

static void wait_for_end(int pidfd)
{
	struct pollfd poller = {.fd = pidfd, .events = POLLIN};

	assert_int_equal(poll(&poller, 1, 10000), 1);
}

static void reported_to_the_parent(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		int go[2], pidfd, status = -1;
		pid_t pid;

		assert_int_equal(pipe(go), 0);
		pid = start(i, go[0]);
		pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
		assert_true(pidfd >= 0);
		assert_int_equal(frec__process_end(pidfd, (uint32_t)pid, &status), -EAGAIN);
		assert_int_equal(write(go[1], "", 1), 1);
		wait_for_end(pidfd);
		assert_int_equal(frec__process_end(pidfd, (uint32_t)pid, &status), 0);
		print_message("%s: %x\n", ends[i].what, status);
		assert_int_equal(status & ~0x80, ends[i].status);
		// The parent of the process can still wait for it.
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status & ~0x80, ends[i].status);
		close(pidfd);
		close(go[0]);
		close(go[1]);
	}
}

// The stranger is another child of the test. It writes what it learns about the process while that
// is a zombie, and again after the parent has waited for the zombie.
static void stranger(pid_t pid, int in, int out, bool old)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	char byte;

	if (old && be_an_old_kernel())
		_exit(1);

	for (int i = 0; i < 2; i++) {
		int answer[2] = {0, -1};

		(void)!write(out, "", 1);
		if (read(in, &byte, 1) != 1)
			_exit(1);
		answer[0] = frec__process_end(pidfd, (uint32_t)pid, &answer[1]);
		(void)!write(out, answer, sizeof(answer));
	}
	_exit(0);
}

static void tell_stranger(bool old)
{
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		int go[2], ask[2], answers[2], answer[2], pidfd;
		pid_t pid, other;
		char byte;

		assert_int_equal(pipe(go) | pipe(ask) | pipe(answers), 0);
		pid = start(i, go[0]);
		pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
		other = fork();
		if (!other)
			stranger(pid, ask[0], answers[1], old);
		assert_int_equal(read(answers[0], &byte, 1), 1);
		assert_int_equal(write(go[1], "", 1), 1);
		wait_for_end(pidfd);
		assert_int_equal(write(ask[1], "", 1), 1);
		assert_int_equal(read(answers[0], answer, sizeof(answer)), sizeof(answer));
		print_message("%s: zombie: %d %x\n", ends[i].what, answer[0], answer[1]);
		assert_int_equal(answer[0], 0);
		assert_int_equal(answer[1] & ~0x80, ends[i].status);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_int_equal(read(answers[0], &byte, 1), 1);
		assert_int_equal(write(ask[1], "", 1), 1);
		assert_int_equal(read(answers[0], answer, sizeof(answer)), sizeof(answer));
		print_message("%s: after the wait: %d %x\n", ends[i].what, answer[0], answer[1]);
		if (old)
			assert_int_equal(answer[0], -ENODATA);
		// Before Linux 6.15, -ENODATA is right. Success is only allowed with the right
		// status.
		if (answer[0] != -ENODATA) {
			assert_int_equal(answer[0], 0);
			assert_int_equal(answer[1] & ~0x80, ends[i].status);
		}
		waitpid(other, NULL, 0);
		close(pidfd);
		for (int e = 0; e < 2; e++) {
			close(go[e]);
			close(ask[e]);
			close(answers[e]);
		}
	}
}

static void reported_to_a_stranger(void **state)
{
	(void)state;
	tell_stranger(false);
}

static void read_from_a_zombie_on_old_kernels(void **state)
{
	(void)state;
	tell_stranger(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reported_to_the_parent),
		cmocka_unit_test(reported_to_a_stranger),
		cmocka_unit_test(read_from_a_zombie_on_old_kernels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
