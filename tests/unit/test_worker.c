// SPDX-License-Identifier: MIT
// Proves that reports say how a child ended, whatever it did.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "recorder/worker/worker.h"

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
	raise(SIGKILL);
}

static void hang(void *context, int socket)
{
	(void)context;
	close(socket);
	for (;;)
		pause();
}

// The texts follow "ended by".
static void how_a_child_ended(void **state)
{
	static const struct {
		void (*serve)(void *context, int socket);
		const char *how;
	} cases[] = {
		{leave, "exit status 3"},
		{die, "signal 9"},
		{hang, "a kill, because it did not exit"},
	};
	const struct frec_sandbox sandbox = {.memory = UINT64_C(1) << 30, .opens_files = true};

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(how_a_child_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
