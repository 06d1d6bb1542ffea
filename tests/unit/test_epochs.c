// SPDX-License-Identifier: MIT
// Proves that epochs end where a mapping replaced another one, and only there.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#include "unwind/epochs.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void one_meaning_for_ever(void **state)
{
	// Two adjacent mappings, and a later one at other addresses.
	struct frec_mapped_span spans[] = {
		{0x3000, 0x4000, 50}, {0x1000, 0x2000, 0}, {0x2000, 0x3000, 0}};
	struct frec_epochs epochs;

	(void)state;
	assert_int_equal(frec__epochs_init(&epochs, spans, COUNT(spans)), 0);
	assert_int_equal(epochs.count, 0);
	assert_int_equal(frec__epochs_at(&epochs, 1000), 0);
	assert_true(frec__epochs_end(&epochs, 0) == UINT64_MAX);
	frec__epochs_deinit(&epochs);
	assert_int_equal(frec__epochs_init(&epochs, spans, 0), 0);
	assert_int_equal(frec__epochs_at(&epochs, 0), 0);
	frec__epochs_deinit(&epochs);
}

static void replaced_twice(void **state)
{
	// A library was unloaded and another one was mapped at some of its addresses. Later a large
	// library was mapped over parts of both and beyond them.
	struct frec_mapped_span spans[] = {{0x1000, 0x8000, 0},
					   {0x2000, 0x3000, 100},
					   {0x2800, 0x9000, 200},
					   {0x20000, 0x30000, 150}};
	struct frec_epochs epochs;

	(void)state;
	assert_int_equal(frec__epochs_init(&epochs, spans, COUNT(spans)), 0);
	assert_int_equal(epochs.count, 2);
	assert_int_equal(frec__epochs_at(&epochs, 99), 0);
	assert_int_equal(frec__epochs_at(&epochs, 100), 1);
	assert_int_equal(frec__epochs_at(&epochs, 199), 1);
	assert_int_equal(frec__epochs_at(&epochs, 200), 2);
	assert_int_equal(frec__epochs_end(&epochs, 0), 100);
	assert_int_equal(frec__epochs_end(&epochs, 1), 200);
	assert_true(frec__epochs_end(&epochs, 2) == UINT64_MAX);
	frec__epochs_deinit(&epochs);
}

// It is unknown which of two overlapping mappings from before the recording is older, so there is
// no epoch.
static void before_anybody_looked(void **state)
{
	struct frec_mapped_span spans[] = {{0x1000, 0x3000, 0}, {0x2000, 0x4000, 0}};
	struct frec_epochs epochs;

	(void)state;
	assert_int_equal(frec__epochs_init(&epochs, spans, COUNT(spans)), 0);
	assert_int_equal(epochs.count, 0);
	frec__epochs_deinit(&epochs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_meaning_for_ever),
		cmocka_unit_test(replaced_twice),
		cmocka_unit_test(before_anybody_looked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
