// SPDX-License-Identifier: MIT
// Proves that records are returned in order, whether they fit into memory or not, and those of
// equal time in the order in which they were added.
#include <fcntl.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "recorder/import/record_sort.h"

#define ROOM (256u << 10)

struct record {
	uint64_t key, time, number;
	uint32_t size;
	uint8_t rest[2000];
};

static void sort(uint32_t count, uint32_t (*time)(uint32_t i), bool expect_file)
{
	struct frec_record_sort sorter;
	struct frec_sort_item item;
	struct record record = {0}, last = {0};
	const uint8_t *bytes;
	struct frec_error error;
	uint32_t seen = 0, state = 1;
	uint64_t sum = 0;

	assert_false(frec__record_sort_init(&sorter, AT_FDCWD, ROOM));
	for (uint32_t i = 0; i < count; i++) {
		state = state * 1664525 + 1013904223;
		record.key = state >> 24 & 3;
		record.time = time(i);
		record.number = i;
		record.size = 32 + (state >> 8) % 300;
		memset(record.rest, (uint8_t)i, sizeof(record.rest));
		assert_false(frec__record_sort_add(&sorter, record.key, record.time, &record,
						   record.size, &error));
	}
	while (frec__record_sort_next(&sorter, &item, &bytes, &error) == 1) {
		memcpy(&record, bytes, item.size);
		assert_int_equal(item.key, record.key);
		assert_int_equal(item.time, record.time);
		assert_int_equal(item.size, record.size);
		for (size_t i = 0; i + 32 < record.size; i++)
			assert_int_equal(((uint8_t *)&record)[32 + i],
					 i + 32 >= offsetof(struct record, rest)
						 ? (uint8_t)record.number
						 : 0);
		if (seen) {
			assert_true(last.key <= record.key);
			if (last.key == record.key) {
				assert_true(last.time <= record.time);
				if (last.time == record.time)
					assert_true(last.number < record.number);
			}
		}
		last = record;
		sum += record.number;
		seen++;
	}
	assert_int_equal(seen, count);
	assert_int_equal(sum, (uint64_t)count * (count ? count - 1 : 0) / 2);
	assert_int_equal(sorter.fd >= 0, expect_file);
	frec__record_sort_deinit(&sorter);
}

static uint32_t upwards(uint32_t i)
{
	return i;
}

static uint32_t downwards(uint32_t i)
{
	return UINT32_MAX - i;
}

static uint32_t anyhow(uint32_t i)
{
	return i * 2654435761u;
}

static uint32_t in_few_steps(uint32_t i)
{
	return i * 2654435761u >> 29;
}

static void test_in_memory(void **state)
{
	(void)state;
	sort(0, upwards, false);
	sort(1, upwards, false);
	sort(500, upwards, false);
	sort(500, downwards, false);
	sort(500, anyhow, false);
	sort(500, in_few_steps, false);
}

static void test_in_a_file(void **state)
{
	(void)state;
	sort(20000, upwards, true);
	sort(20000, downwards, true);
	sort(20000, anyhow, true);
	sort(20000, in_few_steps, true);
}

static void test_large_records(void **state)
{
	struct frec_record_sort sorter;
	struct frec_sort_item item;
	const uint8_t *bytes;
	struct frec_error error;
	uint8_t *record = malloc((128u << 10) + 1);

	(void)state;
	assert_false(frec__record_sort_init(&sorter, AT_FDCWD, ROOM));
	for (uint32_t i = 0; i < 20; i++) {
		memset(record, (int)i, 128u << 10);
		assert_false(
			frec__record_sort_add(&sorter, 0, 100 - i, record, 128u << 10, &error));
	}
	assert_int_equal(frec__record_sort_add(&sorter, 0, 0, record, (128u << 10) + 1, &error),
			 -E2BIG);
	for (int i = 19; i >= 0; i--) {
		assert_int_equal(frec__record_sort_next(&sorter, &item, &bytes, &error), 1);
		assert_int_equal(bytes[0], i);
		assert_int_equal(bytes[item.size - 1], i);
	}
	assert_int_equal(frec__record_sort_next(&sorter, &item, &bytes, &error), 0);
	frec__record_sort_deinit(&sorter);
	free(record);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_memory),
		cmocka_unit_test(test_in_a_file),
		cmocka_unit_test(test_large_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
