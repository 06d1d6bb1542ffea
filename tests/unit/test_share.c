// SPDX-License-Identifier: MIT
// Proves that a stranger gets at most a quarter of what is finite, and all strangers together at
// most three quarters, that root gets what is left, and that sources are shared in this way.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/share.h"
#include "recorder/source_set.h"

#define TOTAL 64
#define STRANGER 70000u

// Takes one thing after the other for a user, until there is no room for one more. Returns how many
// were taken.
static size_t take(uint32_t *holders, size_t *count, uint32_t uid)
{
	size_t taken = 0;

	for (;;) {
		struct frec_share share = {.uid = uid};

		for (size_t i = 0; i < *count; i++)
			frec__share_count(&share, holders[i], 1);
		if (!frec__share_has_room(&share, 1, TOTAL))
			return taken;
		holders[(*count)++] = uid;
		taken++;
	}
}

static void everybody_has_a_share(void **state)
{
	uint32_t holders[TOTAL + 1];
	size_t count = 0;

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(take(holders, &count, STRANGER + i), TOTAL / 4);
	assert_int_equal(take(holders, &count, STRANGER + 3), 0);
	assert_int_equal(take(holders, &count, FREC_USER_UNKNOWN), 0);
	assert_int_equal(take(holders, &count, 0), TOTAL / 4);
	// A stranger has no right to what root leaves.
	count = 0;
	assert_int_equal(take(holders, &count, 0), TOTAL);
	assert_int_equal(take(holders, &count, STRANGER), 0);
	count = 0;
	assert_int_equal(take(holders, &count, geteuid()), TOTAL);
}

static void amounts_count(void **state)
{
	struct frec_share share = {.uid = STRANGER};

	(void)state;
	assert_true(frec__share_has_room(&share, TOTAL / 4, TOTAL));
	assert_false(frec__share_has_room(&share, TOTAL / 4 + 1, TOTAL));
	frec__share_count(&share, STRANGER, 10);
	assert_true(frec__share_has_room(&share, TOTAL / 4 - 10, TOTAL));
	assert_false(frec__share_has_room(&share, TOTAL / 4 - 9, TOTAL));
	frec__share_count(&share, 0, TOTAL - 12);
	assert_true(frec__share_has_room(&share, 2, TOTAL));
	assert_false(frec__share_has_room(&share, 3, TOTAL));
}

// Adds sources of a user until there is no room for one more. Returns how many were added.
static size_t add(struct frec_source_set *set, uint32_t uid)
{
	size_t added = 0;
	int r;

	for (;; added++) {
		struct frec_source source = {.uid = uid};

		r = frec__source_set_add(set, &source, NULL);
		if (r)
			break;
	}
	assert_int_equal(r, -E2BIG);
	return added;
}

static void sources_are_shared(void **state)
{
	struct frec_ring_set no_rings = {0};
	struct frec_source_set set = {.rings = &no_rings, .tracefs = -1};

	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(add(&set, STRANGER + i), FREC_SOURCES_MAX / 4);
	assert_int_equal(add(&set, STRANGER + 3), 0);
	assert_int_equal(add(&set, 0), FREC_SOURCES_MAX / 4);
	assert_int_equal(set.count, FREC_SOURCES_MAX);
	frec__source_set_deinit(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybody_has_a_share),
		cmocka_unit_test(amounts_count),
		cmocka_unit_test(sources_are_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
