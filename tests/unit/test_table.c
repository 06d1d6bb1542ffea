// SPDX-License-Identifier: MIT
// Proves that the table finds what was put into it and nothing else, whatever was removed in
// between: it is compared with a plain list, also with keys that all begin at the same slot.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/table.h"

#define KEYS 200
#define STEPS 20000

static void values_are_kept(void **state)
{
	struct frec_table table = {0};
	bool new;

	(void)state;
	assert_null(frec__table_get(&table, 7));
	frec__table_remove(&table, 7); // even from a table that is still empty
	*frec__table_put(&table, 7, &new) = 70;
	assert_true(new);
	assert_int_equal(*frec__table_put(&table, 0, NULL), 0); // 0 is a key like all others
	assert_int_equal(*frec__table_put(&table, 7, &new), 70);
	assert_false(new);
	assert_int_equal(table.count, 2);
	for (uint32_t i = 100; i < 5000; i++)
		*frec__table_put(&table, i * UINT64_C(0x100000001), NULL) = i;
	for (uint32_t i = 100; i < 5000; i++)
		assert_int_equal(*frec__table_get(&table, i * UINT64_C(0x100000001)), i);
	assert_null(frec__table_get(&table, 99 * UINT64_C(0x100000001)));
	assert_int_equal(*frec__table_get(&table, 7), 70);
	assert_true(2 * table.count <= table.size + 1);
	frec__table_free(&table);
	assert_null(frec__table_get(&table, 7));
	frec__table_free(&table);
}

// Puts and removes at random. After each step, compares all keys or a part of them.
static void compare_with_list(const uint64_t *keys, size_t steps)
{
	struct frec_table table = {0};
	uint32_t wanted[KEYS] = {0}; // 0: not in the table
	size_t count = 0;
	uint64_t random = 1;

	for (size_t step = 1; step <= steps; step++) {
		size_t i;
		bool new;

		random = random * 6364136223846793005 + 1442695040888963407;
		i = (random >> 33) % KEYS;
		if (random >> 63) {
			uint32_t *value = frec__table_put(&table, keys[i], &new);

			assert_int_equal(new, !wanted[i]);
			assert_int_equal(*value, wanted[i]);
			count += new;
			*value = wanted[i] = (uint32_t)step;
		} else {
			frec__table_remove(&table, keys[i]);
			count -= wanted[i] != 0;
			wanted[i] = 0;
		}
		assert_int_equal(table.count, count);
		for (size_t j = 0; j < KEYS; j += 1 + step % 7) {
			const uint32_t *value = frec__table_get(&table, keys[j]);

			assert_int_equal(value ? *value : 0, wanted[j]);
		}
	}
	frec__table_free(&table);
}

static void removing_loses_nothing(void **state)
{
	uint64_t keys[KEYS];

	(void)state;
	for (size_t i = 0; i < KEYS; i++)
		keys[i] = i << 40;
	compare_with_list(keys, STEPS);
}

// An attacker could choose keys that have the same lower bits after frec__table_mix(). They do not
// make one long run of used slots, because their homes depend on a secret number, too.
static void chosen_keys_spread(void **state)
{
	struct frec_table table = {0};
	uint64_t keys[KEYS];
	size_t count = 0, run = 0, longest = 0;

	(void)state;
	for (uint64_t key = 0; count < KEYS; key++) {
		if (!(frec__table_mix(0, key) & 0x1ff))
			keys[count++] = key;
	}
	for (size_t i = 0; i < KEYS; i++)
		assert_non_null(frec__table_put(&table, keys[i], NULL));
	for (size_t i = 0; i < 2 * table.size; i++) {
		run = table.slots[i % table.size].used ? run + 1 : 0;
		longest = run > longest ? run : longest;
	}
	assert_in_range(longest, 1, KEYS / 2);
	frec__table_free(&table);
	compare_with_list(keys, STEPS / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_kept),
		cmocka_unit_test(removing_loses_nothing),
		cmocka_unit_test(chosen_keys_spread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
