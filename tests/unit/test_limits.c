// SPDX-License-Identifier: MIT
// Proves that the memory limit of a control group is found in both versions, in a container as
// well, and also if a group above it has a lower limit; that the default size of rings fits; and
// that a limit that is in the way is named, with the value that is needed.
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/limits.h"
#include "recorder/control_groups.h"
#include "recorder/ring_size.h"
#include "recorder/rings/ring.h"

static char root[] = "/tmp/frec-groups-XXXXXX";

// Makes a file below the root, and the folders that contain it.
static void make(const char *name, const char *text)
{
	char path[400];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	for (char *slash = strchr(path + strlen(root) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = 0;
		mkdir(path, 0700);
		*slash = '/';
	}
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void clear(void)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf %s/*", root);
	assert_int_equal(system(command), 0);
}

static uint64_t memory_of(const char *own)
{
	char path[400];

	make("own", own);
	snprintf(path, sizeof(path), "%s/own", root);
	return frec__control_groups_memory(root, path);
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(root) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	clear();
	return rmdir(root);
}

static void test_version_2(void **state)
{
	(void)state;
	make("shop.slice/shop.service/memory.max", "max\n");
	make("shop.slice/memory.max", "max\n");
	assert_true(memory_of("0::/shop.slice/shop.service\n") == UINT64_MAX);
	make("shop.slice/shop.service/memory.max", "314572800\n");
	assert_int_equal(memory_of("0::/shop.slice/shop.service\n"), 314572800);
	make("shop.slice/memory.max", "125829120\n");
	assert_int_equal(memory_of("0::/shop.slice/shop.service\n"), 125829120);
	assert_true(memory_of("0::/\n") == UINT64_MAX);
	assert_true(memory_of("") == UINT64_MAX);
	assert_true(memory_of("no line of that kind\n0:\n") == UINT64_MAX);
	clear();
}

// At the root, a container sees its own group. The path that this group has outside the container
// does not exist inside.
static void test_container(void **state)
{
	(void)state;
	make("memory.max", "67108864\n");
	assert_int_equal(memory_of("0::/\n"), 67108864);
	assert_int_equal(memory_of("0::/kubepods/burstable/pod17/0badcafe\n"), 67108864);
	clear();
	make("memory/memory.limit_in_bytes", "33554432\n");
	assert_int_equal(memory_of("11:memory:/docker/0badcafe\n4:pids:/docker/0badcafe\n"),
			 33554432);
	clear();
}

static void test_version_1_and_both(void **state)
{
	(void)state;
	make("memory/shop/memory.limit_in_bytes", "9223372036854771712\n");
	make("memory/memory.limit_in_bytes", "9223372036854771712\n");
	make("memoryless/shop/memory.limit_in_bytes", "4096\n");
	assert_true(memory_of("3:memory:/shop\n2:memoryless:/shop\n") == UINT64_MAX);
	make("cpu,memory/shop/deep/memory.limit_in_bytes", "20971520\n");
	make("cpu,memory/shop/memory.limit_in_bytes", "41943040\n");
	assert_int_equal(memory_of("3:cpu,memory:/shop/deep\n"), 20971520);
	// If both versions are mounted, version 2 has a folder of its own.
	make("unified/shop/memory.max", "10485760\n");
	assert_int_equal(memory_of("3:cpu,memory:/shop/deep\n0::/shop\n"), 10485760);
	clear();
}

static void test_ring_size(void **state)
{
	const uint64_t none = UINT64_MAX, mib = 1 << 20;
	const struct {
		struct frec_ring_bounds bounds;
		uint64_t size;
	} cases[] = {
		{{none, none, 2}, 4 * mib},
		{{none, none, 512}, 4 * mib},
		{{1024 * mib, none, 16}, 4 * mib}, // exactly an eighth
		{{1024 * mib - 8, none, 16}, 2 * mib},
		{{120 * mib, none, 2}, 2 * mib},
		{{120 * mib, none, 16}, 256 << 10},
		{{120 * mib, none, 64}, 64 << 10},
		{{mib, none, 64}, 64 << 10},	// as small as it gets
		{{none, 16 * mib, 2}, 4 * mib}, // 12 MiB of rings
		{{none, 12 * mib, 2}, 2 * mib}, // the tables do not fit beside 12 MiB of rings
		{{none, 100000, 2}, 64 << 10},	// too little for any size of rings
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(frec__ring_size_within(&cases[i].bounds), cases[i].size);
	assert_int_equal(frec__ring_size_cost(mib, 3), 6 * mib);
}

static void test_error(void **state)
{
	struct rlimit limit;
	struct frec_error error;
	pid_t child = fork();
	int status;

	(void)state;
	if (!child) {
		limit = (struct rlimit){65536, 131072};
		setrlimit(RLIMIT_FSIZE, &limit);
		if (frec__limit_error(&error, -EFBIG, 777777, "no room") != -EFBIG ||
		    strcmp(error.message, "no room: File too large: RLIMIT_FSIZE is 65536, and "
					  "777777 is needed: raise it ('ulimit -f', or LimitFSIZE= "
					  "of a unit)"))
			_exit(1);
		frec__limits_raise();
		if (frec__limit_of(RLIMIT_FSIZE) < 131072)
			_exit(2);
		// Another error is not blamed on a limit.
		frec__limit_error(&error, -EIO, 1, "no disk");
		_exit(strcmp(error.message, "no disk: Input/output error") ? 3 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_version_2),
		cmocka_unit_test(test_container),
		cmocka_unit_test(test_version_1_and_both),
		cmocka_unit_test(test_ring_size),
		cmocka_unit_test(test_error),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
