// SPDX-License-Identifier: MIT
// Proves that the byte cursor decodes numbers as DWARF and the kernel write them, and that it never
// leaves its bytes: after one failed read every read fails.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/bytes.h"

static void numbers(void **state)
{
	static const uint8_t data[] = {0xfe, 0xfe, 0xff, 1, 2, 3, 4, 5, 6, 7,
				       8,    1,	   0,	 0, 0, 2, 0, 0, 0, 0x80};
	struct frec_bytes bytes = frec__bytes(data, sizeof(data));

	(void)state;
	assert_int_equal(frec__bytes_signed(&bytes, 1), -2);
	assert_int_equal(frec__bytes_signed(&bytes, 2), -2);
	assert_true(frec__bytes_u64(&bytes) == 0x0807060504030201);
	assert_int_equal(frec__bytes_left(&bytes), 9);
	assert_int_equal(frec__bytes_u32(&bytes), 1);
	assert_int_equal(frec__bytes_number(&bytes, 3), 2);
	assert_int_equal(frec__bytes_signed(&bytes, 2), INT16_MIN);
	assert_int_equal(frec__bytes_left(&bytes), 0);
	assert_false(bytes.failed);
}

// Decodes the examples of DWARF 5, tables 7.7 and 7.8, and numbers that need all 64 bits or more.
static void leb128(void **state)
{
	static const uint8_t unsigned_ones[] = {
		2,    0xff, 1, 0x80, 1,	   0xb9, 0x64, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 1, 0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f};
	static const uint8_t signed_ones[] = {2,    0x7e, 0xff, 0,    0x81, 0x7f, 0x80,
					      1,    0x80, 0x7f, 0x80, 0x80, 0x80, 0x80,
					      0x80, 0x80, 0x80, 0x80, 0x80, 0x7f};
	struct frec_bytes bytes = frec__bytes(unsigned_ones, sizeof(unsigned_ones));

	(void)state;
	assert_int_equal(frec__bytes_uleb(&bytes), 2);
	assert_int_equal(frec__bytes_uleb(&bytes), 255);
	assert_int_equal(frec__bytes_uleb(&bytes), 128);
	assert_int_equal(frec__bytes_uleb(&bytes), 12857);
	assert_true(frec__bytes_uleb(&bytes) == UINT64_MAX);
	assert_int_equal(frec__bytes_uleb(&bytes), 1);
	assert_int_equal(frec__bytes_left(&bytes), 0);
	assert_false(bytes.failed);
	bytes = frec__bytes(signed_ones, sizeof(signed_ones));
	assert_int_equal(frec__bytes_sleb(&bytes), 2);
	assert_int_equal(frec__bytes_sleb(&bytes), -2);
	assert_int_equal(frec__bytes_sleb(&bytes), 127);
	assert_int_equal(frec__bytes_sleb(&bytes), -127);
	assert_int_equal(frec__bytes_sleb(&bytes), 128);
	assert_int_equal(frec__bytes_sleb(&bytes), -128);
	assert_true(frec__bytes_sleb(&bytes) == INT64_MIN);
	assert_false(bytes.failed);
}

static void runs_and_texts(void **state)
{
	static const uint8_t data[] = {'a', 'b', 0, 0, 1, 2, 3, 4, 'c'};
	struct frec_bytes bytes = frec__bytes(data, sizeof(data));

	(void)state;
	assert_string_equal(frec__bytes_text(&bytes), "ab");
	assert_string_equal(frec__bytes_text(&bytes), "");
	assert_ptr_equal(frec__bytes_array(&bytes, 2, 2), data + 4);
	assert_ptr_equal(frec__bytes_take(&bytes, 0), data + 8);
	assert_null(frec__bytes_text(&bytes)); // a text without a NUL
	assert_true(bytes.failed);
}

static void assert_failed(struct frec_bytes *bytes)
{
	assert_true(bytes->failed);
	assert_int_equal(frec__bytes_left(bytes), 0);
	assert_null(frec__bytes_take(bytes, 0));
	assert_null(frec__bytes_array(bytes, 0, 8));
	assert_null(frec__bytes_text(bytes));
	assert_int_equal(frec__bytes_number(bytes, 1), 0);
	assert_int_equal(frec__bytes_signed(bytes, 1), 0);
	assert_int_equal(frec__bytes_uleb(bytes), 0);
	assert_int_equal(frec__bytes_sleb(bytes), 0);
	assert_true(bytes->failed);
}

// A file in which nothing was found has no findings, and no memory for them.
static void nothing(void **state)
{
	struct frec_bytes bytes = frec__bytes(NULL, 0);

	(void)state;
	frec__bytes_take(&bytes, 0);
	assert_false(bytes.failed);
	assert_int_equal(frec__bytes_left(&bytes), 0);
	assert_null(frec__bytes_text(&bytes));
	assert_failed(&bytes);
}

static void a_failure_stays(void **state)
{
	static const uint8_t data[] = {0x81, 0x82, 0x83, 0x84};
	struct frec_bytes bytes;

	(void)state;
	bytes = frec__bytes(data, sizeof(data));
	assert_int_equal(frec__bytes_u64(&bytes), 0);
	assert_failed(&bytes);
	bytes = frec__bytes(data, sizeof(data));
	assert_null(frec__bytes_take(&bytes, UINT64_MAX));
	assert_failed(&bytes);
	bytes = frec__bytes(data, sizeof(data));
	assert_null(frec__bytes_array(&bytes, UINT64_MAX / 8 + 1, 8)); // 2^64 bytes: 0 in 64 bits
	assert_failed(&bytes);
	bytes = frec__bytes(data, sizeof(data));
	assert_int_equal(frec__bytes_uleb(&bytes), 0);
	assert_failed(&bytes);
	bytes = frec__bytes(data, sizeof(data));
	assert_int_equal(frec__bytes_sleb(&bytes), 0);
	assert_failed(&bytes);
	bytes = frec__bytes(data, sizeof(data));
	frec__bytes_fail(&bytes);
	assert_failed(&bytes);
	bytes = frec__bytes(data, 0);
	assert_null(frec__bytes_take(&bytes, 1));
	assert_failed(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),	   cmocka_unit_test(leb128),
		cmocka_unit_test(runs_and_texts),  cmocka_unit_test(nothing),
		cmocka_unit_test(a_failure_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
