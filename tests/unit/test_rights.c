// SPDX-License-Identifier: MIT
// Giving up capabilities. What needs root does nothing without it, except to check that giving up
// what one does not have succeeds.
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/rights.h"

// Returns a line of /proc/self/status, such as "CapEff:", as a number.
static uint64_t status(const char *name)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	uint64_t value = UINT64_MAX;

	while (file && fgets(line, sizeof(line), file)) {
		if (!strncmp(line, name, strlen(name)))
			value = strtoull(line + strlen(name), NULL, 16);
	}
	if (file)
		fclose(file);
	return value;
}

// Runs a check in a child, because what is given up does not come back.
static void in_child(bool (*check)(void))
{
	pid_t child = fork();
	int ended = 0;

	assert_true(child >= 0);
	if (!child)
		_exit(check() ? 0 : 1);
	assert_int_equal(waitpid(child, &ended, 0), child);
	assert_int_equal(ended, 0);
}

static bool keeps_one(void)
{
	const uint64_t before = status("CapEff:"), kept = FREC_RIGHT(CAP_CHOWN) & before;
	const bool bounded = before & FREC_RIGHT(CAP_SETPCAP);

	return !frec__rights_keep(FREC_RIGHT(CAP_CHOWN)) && status("CapEff:") == kept &&
	       status("CapPrm:") == kept && !status("CapInh:") && !status("CapAmb:") &&
	       (!bounded || status("CapBnd:") == kept);
}

static bool is_without(void)
{
	char path[] = "/tmp/frec-rights-XXXXXX";
	int fd = mkstemp(path);
	bool refused;

	if (fd < 0 || frec__rights_keep(FREC_RIGHTS_NONE))
		return false;
	refused = fchown(fd, 1, 1) && errno == EPERM;
	unlink(path);
	return refused;
}

// A process of root gets all capabilities of its bounding set back when it executes a program.
static bool stays_without(void)
{
	if (geteuid() || !(status("CapEff:") & FREC_RIGHT(CAP_SETPCAP)))
		return true;
	if (frec__rights_keep(FREC_RIGHTS_NONE))
		return false;
	execl("/bin/grep", "grep", "-q", "^CapEff:.0000000000000000$", "/proc/self/status", NULL);
	return false;
}

static bool does_not_gain(void)
{
	const uint64_t before = status("CapPrm:");

	return !frec__rights_keep(UINT64_MAX) && status("CapPrm:") == before &&
	       !frec__rights_keep(FREC_RIGHTS_NONE) && !frec__rights_keep(UINT64_MAX) &&
	       !status("CapPrm:");
}

static void test_keep(void **state)
{
	(void)state;
	in_child(keeps_one);
}

static void test_without(void **state)
{
	(void)state;
	in_child(is_without);
}

static void test_stay(void **state)
{
	(void)state;
	in_child(stays_without);
}

static void test_gain(void **state)
{
	(void)state;
	in_child(does_not_gain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keep),
		cmocka_unit_test(test_without),
		cmocka_unit_test(test_stay),
		cmocka_unit_test(test_gain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
