// SPDX-License-Identifier: MIT
// Proves that records which several files have are found, one for one, and that no other record is
// mistaken for a copy.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "export/timeline/duplicates.h"

static struct frec_record make(uint64_t time, const char *payload)
{
	return (struct frec_record){
		.time = time,
		.pid = 1,
		.tid = 2,
		.cpu = 3,
		.payload = (const uint8_t *)payload,
		.payload_size = strlen(payload),
	};
}

static void everything_counts(void **state)
{
	struct frec_duplicates duplicates = {0};
	const struct frec_record record = make(100, "abc");
	struct frec_record others[] = {record, record, record, record, record, record, record};

	(void)state;
	others[0].time++;
	others[1].pid++;
	others[2].tid++;
	others[3].cpu++;
	others[4].payload = (const uint8_t *)"abd";
	others[5].payload_size--;
	others[6].payload_size = 0;
	assert_int_equal(frec__duplicates_check(&duplicates, 0, 0, 5, &record), 0);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_int_equal(frec__duplicates_check(&duplicates, 1, 0, 5, &others[i]), 0);
	assert_int_equal(frec__duplicates_check(&duplicates, 1, 1, 5, &record), 0); // another ring
	// another source
	assert_int_equal(frec__duplicates_check(&duplicates, 1, 0, 6, &record), 0);
	assert_int_equal(frec__duplicates_check(&duplicates, 1, 0, 5, &record), 1);
	assert_int_equal(frec__duplicates_check(&duplicates, 63, 0, 5, &record), 1);
	frec__duplicates_free(&duplicates);
}

// While the clock stood still, equal records were written. One file has three of them, another two,
// a third four.
static void as_many_as_the_file_with_the_most(void **state)
{
	struct frec_duplicates duplicates = {0};
	const struct frec_record record = make(100, "same");
	const unsigned int order[] = {0, 1, 2, 0, 1, 2, 0, 2, 2};
	int copies = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		copies += frec__duplicates_check(&duplicates, order[i], 0, 1, &record);
	assert_int_equal(copies, 3 + 2 + 4 - 4);
	frec__duplicates_free(&duplicates);
}

// If a file begins in the middle of an interrupt, a record can be a few places before or after its
// copy in the other file.
static void a_little_out_of_order(void **state)
{
	struct frec_duplicates duplicates = {0};
	int copies = 0;

	(void)state;
	for (uint64_t time = 1; time <= 1000; time++) {
		struct frec_record record = make(time, "x"), late = make(time - 10, "x");

		copies += frec__duplicates_check(&duplicates, 0, 0, 1, &record);
		if (time > 10)
			copies += frec__duplicates_check(&duplicates, 1, 0, 1, &late);
	}
	assert_int_equal(copies, 990);
	frec__duplicates_free(&duplicates);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_counts),
		cmocka_unit_test(as_many_as_the_file_with_the_most),
		cmocka_unit_test(a_little_out_of_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
