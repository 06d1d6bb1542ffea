// SPDX-License-Identifier: MIT
// Proves that reports say how a child ended, whatever it did, and that a child whose files another
// process opens cannot open any itself.
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/system_call_filter.h"
#include "recorder/worker/worker.h"
#include "unwind/elf_file.h"

static void leave(void *context, int socket)
{
	(void)context;
	(void)socket;
	_exit(3);
}

static void die(void *context, int socket)
{
	(void)context;
	(void)socket;
	__builtin_trap();
}

static void hang(void *context, int socket)
{
	(void)context;
	close(socket);
	for (;;)
		__asm__ volatile("");
}

// The texts follow "ended by".
static void how_a_child_ended(void **state)
{
	static const struct {
		void (*serve)(void *context, int socket);
		const char *how;
	} cases[] = {
		{leave, "exit status 3"},
#ifdef __x86_64__
		{die, "signal 4"},
#else
		{die, "signal 5"},
#endif
		{hang, "a kill, because it did not exit"},
	};
	const struct frec_sandbox sandbox = {.memory = UINT64_C(1) << 30};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct frec_worker worker;
		char how[64], byte;

		assert_int_equal(frec__worker_start(&worker, &sandbox, cases[i].serve, NULL), 0);
		assert_int_equal(frec__worker_receive(worker.fd, &byte, 1, NULL, 0), 0);
		frec__worker_reap(&worker, how, sizeof(how));
		assert_string_equal(how, cases[i].how);
		assert_int_equal(worker.fd, -1);
	}
}

// Makes a copy of this program that only its owner may read, and stores the copy's path in `path`.
// If `type` is not 0, the copy's ELF header has this type instead of the program's.
static void copy_of_this(char path[32], uint16_t type)
{
	static char bytes[1 << 16];
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), to;
	ssize_t n;

	strcpy(path, "/tmp/frec-worker-XXXXXX");
	to = mkstemp(path);
	assert_true(from >= 0 && to >= 0);
	while ((n = read(from, bytes, sizeof(bytes))) > 0)
		assert_int_equal(write(to, bytes, (size_t)n), n);
	if (type)
		assert_int_equal(pwrite(to, &type, sizeof(type), 16), sizeof(type));
	close(from);
	close(to);
}

// Answers each path with what opening it as a program gives.
static void open_programs(void *context, int socket)
{
	char path[64];

	(void)context;
	while (frec__worker_receive(socket, path, sizeof(path), NULL, 0) > 0) {
		struct frec_elf *elf = NULL;
		int r = frec__elf_open(path, &elf, NULL);
		struct iovec part = {&r, sizeof(r)};

		frec__elf_close(elf);
		if (frec__worker_send(socket, &part, 1, -1))
			return;
	}
}

static int ask(const struct frec_worker *worker, const char *path)
{
	struct iovec part = {(void *)(uintptr_t)path, strlen(path) + 1};
	int r = 1;

	assert_int_equal(frec__worker_send(worker->fd, &part, 1, -1), 0);
	assert_int_equal(frec__worker_receive(worker->fd, &r, sizeof(r), NULL, 0), sizeof(r));
	return r;
}

static void what_an_opener_opens(void **state)
{
	const struct frec_sandbox sandbox = frec__sandbox_to_unwind(60);
	char program[32], core[32];
	struct frec_worker worker;

	(void)state;
	copy_of_this(program, 0);
	copy_of_this(core, ET_CORE);
	assert_int_equal(frec__worker_start(&worker, &sandbox, open_programs, NULL), 0);
	assert_int_equal(ask(&worker, program), 0);
	assert_int_equal(ask(&worker, core), -ENOEXEC);
	assert_int_equal(ask(&worker, "/etc/passwd"), -ENOEXEC);
	assert_int_equal(ask(&worker, "/proc/self/status"), -EINVAL);
	assert_int_equal(ask(&worker, "/dev/null"), -EINVAL);
	assert_int_equal(ask(&worker, "/nowhere"), -ENOENT);
	frec__worker_stop(&worker);
	unlink(program);
	unlink(core);
}

static void open_file(void *context, int socket)
{
	(void)context;
	(void)socket;
	_exit(open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0 ? 0 : 1);
}

static void what_its_child_opens(void **state)
{
	const struct frec_sandbox sandbox = frec__sandbox_to_unwind(60);
	struct frec_worker worker;
	char how[64], byte;

	(void)state;
	if (FREC_SANITIZED)
		skip(); // there is no filter of system calls
	assert_int_equal(frec__worker_start(&worker, &sandbox, open_file, NULL), 0);
	assert_int_equal(frec__worker_receive(worker.fd, &byte, 1, NULL, 0), 0);
	frec__worker_reap(&worker, how, sizeof(how));
	assert_string_equal(how, "signal 31");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(how_a_child_ended),
		cmocka_unit_test(what_an_opener_opens),
		cmocka_unit_test(what_its_child_opens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
