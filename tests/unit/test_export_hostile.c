// SPDX-License-Identifier: MIT
// Proves that export survives any truncation and any flipped bit: it uses what comes before the
// damage, and reports the damage.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "export/read/snapshot.h"
#include "tests/attack/make_hostile.h"
#include "tests/data/make_snapshot.h"
#include "tests/data/pipeline.h"

static void a_whole_file_has_no_problem(void **state)
{
	const struct make_options options[] = {
		{0},
		{.zstd = true},
		{.wrapped = true},
		{.no_crash = true},
		// Records that were written while the rings were copied are younger than the
		// coverage.
		{.late_record = true},
		// A few records can be out of order at the old end of a ring that wrapped.
		{.late_from = true, .wrapped = true}};

	(void)state;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		struct pipeline_result result;
		struct made_file file;

		make_small(&file, &options[i]);
		result = pipeline_run(file.data, file.size);
		assert_int_equal(result.opened, 0);
		assert_int_equal(result.damaged, 0);
		assert_int_equal(result.problems, 0);
		assert_int_equal(result.events, options[i].no_crash ? 8 : 9);
		assert_int_equal(pipeline_together(file.data, file.size), 0);
		free(file.data);
	}
}

static void every_cut_is_told(void **state)
{
	const struct make_options options = {0};
	uint64_t events = 0;
	struct made_file file;

	(void)state;
	make_small(&file, &options);
	for (size_t size = 0; size < file.size; size++) {
		struct pipeline_result result = pipeline_run(file.data, size);

		assert_true(result.opened || result.damaged);
		// If more of the file is left, no fewer events are exported.
		assert_true(result.opened || result.events >= events);
		events = result.events;
	}
	assert_int_equal(events, 9);
	free(file.data);
}

// Flips every bit. With a sanitizer, this would take minutes, so such a build flips only one bit of
// each byte, not always the same one.
#ifdef __SANITIZE_ADDRESS__
#define STEP 9
#else
#define STEP 1
#endif

static void every_flipped_bit_is_told(void **state)
{
	const struct make_options options = {0};
	struct made_file file;

	(void)state;
	make_small(&file, &options);
	for (size_t bit = 0; bit < 8 * file.size; bit += STEP) {
		struct pipeline_result result;

		file.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		result = pipeline_run(file.data, file.size);
		if (!result.opened && !result.damaged && !result.problems)
			fail_msg("bit %zu of byte %zu", bit % 8, bit / 8);
		file.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	free(file.data);
}

// The changed bytes get correct checksums, so they reach the code that runs after the check. That
// code must survive anything.
static void flipped_bits_with_right_checksums(void **state)
{
	const struct make_options options = {.hostile = true};
	struct made_file file;
	uint8_t *copy;

	(void)state;
	make_small(&file, &options);
	copy = malloc(file.size);
	assert_non_null(copy);
	// Flip one bit of each byte, not always the same one. The rest is left to fuzzing.
	for (size_t bit = 0; bit < 8 * file.size; bit += 9) {
		memcpy(copy, file.data, file.size);
		copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
		pipeline_repair(copy, file.size);
		pipeline_run(copy, file.size);
	}
	free(copy);
	free(file.data);
}

static void false_figures_are_told(void **state)
{
	const struct make_options options[] = {
		{.wrong_loss = true}, {.wrong_count = true},
		{.late_from = true},  {.unknown_source = true},
		{.hostile = true},    {.zstd = true, .wrong_count = true}};

	(void)state;
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		struct made_file file;

		make_small(&file, &options[i]);
		assert_int_equal(pipeline_run(file.data, file.size).problems, 2);
		free(file.data);
	}
}

// A reader allocates the size that a part claims, for each CPU, so a claim that is too large is
// rejected before the allocation.
static void oversize_records_are_refused(void **state)
{
	const struct make_options options = {.oversize = true, .zstd = true};
	struct frec_chunk_data data = {0};
	struct frec_snapshot snapshot;
	struct frec_error error;
	struct made_file file;
	int fd = memfd_create("snapshot", MFD_CLOEXEC);

	(void)state;
	make_small(&file, &options);
	assert_int_equal(write(fd, file.data, file.size), file.size);
	assert_int_equal(frec__snapshot_open_fd(&snapshot, fd, "memory", &error), 0);
	assert_int_equal(snapshot.chunk_count, 2);
	assert_int_equal(frec__snapshot_read_chunk(&snapshot, &snapshot.chunks[0], &data, &error),
			 -EBADMSG);
	assert_non_null(strstr(error.message, "larger than the format allows"));
	assert_null(data.data);
	frec__snapshot_close(&snapshot);
	free(file.data);
}

// Small versions of the files of host/attack_snapshots are read and written in all formats.
// Sanitizers run this test, but not that one.
static void costly_files_are_read(void **state)
{
	(void)state;
	hostile_chunk_size = 2048;
	for (const struct hostile_kind *kind = hostile_kinds; kind->name; kind++) {
		struct made_file file;

		kind->make(&file, kind->count / 2000);
		assert_int_equal(pipeline_run(file.data, file.size).opened, 0);
		free(file.data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_file_has_no_problem),
		cmocka_unit_test(every_cut_is_told),
		cmocka_unit_test(every_flipped_bit_is_told),
		cmocka_unit_test(flipped_bits_with_right_checksums),
		cmocka_unit_test(false_figures_are_told),
		cmocka_unit_test(oversize_records_are_refused),
		cmocka_unit_test(costly_files_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
