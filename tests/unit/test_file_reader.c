// SPDX-License-Identifier: MIT
// Proves that a file is reported and counted if no process can be started to read it: the recorder
// may run out of descriptors or processes just when it has found a file.
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "recorder/declared/file_reader.h"

static unsigned int files_done;

static void done(void *context, struct frec_file *file)
{
	(void)context;
	(void)file;
	files_done++;
}

static void read_this_program(struct frec_file_reader *reader, bool trusted)
{
	struct frec_file file = {.fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC),
				 .path = strdup("/proc/self/exe"),
				 .kinds = FREC_LOOK_DECLARATIONS,
				 .trusted = trusted};

	assert_true(file.fd >= 0);
	assert_non_null(file.path);
	frec__file_reader_add(reader, &file);
	frec__file_reader_finish(reader);
}

static void no_process(bool trusted)
{
	struct frec_file_reader reader;
	struct rlimit before, low;
	int lowest = dup(STDERR_FILENO);

	assert_true(lowest >= 0);
	close(lowest);
	frec__file_reader_init(&reader);
	reader.done = done;
	files_done = 0;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	// Enough for the file, and too few for the socket of a child.
	low = (struct rlimit){.rlim_cur = (rlim_t)lowest + 1, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	read_this_program(&reader, trusted);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(reader.passed_over, 1);
	assert_string_equal(reader.last_passed_over, "/proc/self/exe");
	assert_int_equal(files_done, 0);
	// The next file is read.
	read_this_program(&reader, trusted);
	assert_int_equal(reader.passed_over, 1);
	assert_int_equal(files_done, 1);
	frec__file_reader_deinit(&reader);
}

static void no_process_for_a_trusted_file(void **state)
{
	(void)state;
	no_process(true);
}

static void no_process_for_a_file_of_a_stranger(void **state)
{
	(void)state;
	no_process(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_process_for_a_trusted_file),
		cmocka_unit_test(no_process_for_a_file_of_a_stranger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
