// SPDX-License-Identifier: MIT
// Proves that text is safe for its destination: valid UTF-8 in files, no control sequences on a
// terminal.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "export/read/numbers.h"
#include "export/read/text.h"
#include "export/read/text_values.h"

static void check(void (*add)(struct frec_text *, const void *, size_t), const char *bytes,
		  size_t size, const char *expected)
{
	struct frec_text text = {0};

	add(&text, bytes, size);
	assert_false(text.failed);
	assert_string_equal(text.data ? text.data : "", expected);
	frec__text_free(&text);
}

#define CHECK(add, bytes, expected) check(add, bytes, sizeof(bytes) - 1, expected)

static void utf8(void **state)
{
	(void)state;
	CHECK(frec__text_utf8, "", "");
	CHECK(frec__text_utf8, "plain ä € 😀\n", "plain ä € 😀\n");
	CHECK(frec__text_utf8, "a\0b", "a\\x00b");
	CHECK(frec__text_utf8, "\xff\x80", "\\xff\\x80");
	CHECK(frec__text_utf8, "\xc0\xaf\xe0\x80\xaf",
	      "\\xc0\\xaf\\xe0\\x80\\xaf");				    // not the shortest form
	CHECK(frec__text_utf8, "\xed\xa0\x80", "\\xed\\xa0\\x80");	    // a surrogate
	CHECK(frec__text_utf8, "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); // beyond U+10FFFF
	CHECK(frec__text_utf8, "\xf0\x9f\x98", "\\xf0\\x9f\\x98");	    // cut
	CHECK(frec__text_utf8, "\xf0\x8f\xbf\xbf!", "\\xf0\\x8f\\xbf\\xbf!");
}

static void terminal(void **state)
{
	(void)state;
	CHECK(frec__text_plain, "ä \x1b[2J\r\n\x7f", "ä \\x1b[2J\\x0d\\x0a\\x7f");
	CHECK(frec__text_plain,
	      "\xc2\x9b"
	      "31m",
	      "\\xc2\\x9b31m");					    // CSI as one character
	CHECK(frec__text_plain, "\xe2\x80\xae", "\\xe2\\x80\\xae"); // right to left
}

static void json(void **state)
{
	(void)state;
	CHECK(frec__text_json, "", "\"\"");
	CHECK(frec__text_json, "a\"b\\c\n\t\x01\x7f ä", "\"a\\\"b\\\\c\\n\\t\\u0001\\u007f ä\"");
	CHECK(frec__text_json, "\xff\0", "\"\\\\xff\\u0000\"");
}

static void doubles(void **state)
{
	static const double values[] = {0.1,  1.0 / 3, 5e-324,	      1.7976931348623157e308,
					-0.0, 1e15,    123456789.125, 2.2250738585072014e-308};

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct frec_text text = {0};
		double back;

		frec__text_double(&text, values[i], false);
		back = strtod(text.data, NULL);
		assert_memory_equal(&back, &values[i], sizeof(back));
		assert_non_null(strpbrk(text.data, ".e"));
		frec__text_free(&text);
	}
}

// Checks that frec__text_double() writes what printf writes with the fewest digits that read back
// as the same number, even if it finds these digits without printf.
static void check_double(double value, bool single)
{
	struct frec_text text = {0};
	char expected[40];

	for (int digits = single ? 6 : 15; digits <= (single ? 9 : 17); digits++) {
		snprintf(expected, sizeof(expected), "%.*g", digits, value);
		if (single ? strtof(expected, NULL) == (float)value
			   : strtod(expected, NULL) == value)
			break;
	}
	if (!strpbrk(expected, ".e"))
		strcat(expected, ".0");
	frec__text_double(&text, value, single);
	assert_string_equal(text.data, expected);
	frec__text_free(&text);
}

static void doubles_as_printf_has_them(void **state)
{
	uint64_t random = 88172645463325252;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		double decimal, any;
		float single;
		uint32_t half;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		decimal =
			(double)(int64_t)(random >> (random % 60)) / pow(10, (double)(random % 12));
		check_double(decimal, false);
		check_double(-decimal, false);
		check_double((double)(float)decimal, true);
		memcpy(&any, &random, sizeof(any));
		if (isfinite(any))
			check_double(any, false);
		half = (uint32_t)random;
		memcpy(&single, &half, sizeof(single));
		if (isfinite(single))
			check_double((double)single, true);
	}
}

static void check_integer(uint64_t value)
{
	struct frec_text text = {0};
	char expected[80];

	frec__text_unsigned(&text, value);
	frec__text_puts(&text, " ");
	frec__text_signed(&text, (int64_t)value);
	frec__text_puts(&text, " ");
	frec__text_pointer(&text, value);
	snprintf(expected, sizeof(expected), "%llu %lld 0x%llx", (unsigned long long)value,
		 (long long)value, (unsigned long long)value);
	assert_string_equal(text.data, expected);
	frec__text_free(&text);
}

// Tests, among others, both neighbours of each power of ten.
static void integers(void **state)
{
	static const uint64_t values[] = {12345, INT64_MAX, 1ull << 63, UINT64_MAX};
	uint64_t power = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		check_integer(values[i]);
	for (int digits = 1; digits <= 20; digits++) {
		check_integer(power - 1);
		check_integer(power);
		check_integer(power + 1);
		power *= 10;
	}
}

static void special_doubles(void **state)
{
	struct frec_text text = {0};

	(void)state;
	frec__text_double(&text, (double)NAN, false);
	frec__text_puts(&text, " ");
	frec__text_double(&text, -(double)INFINITY, false);
	frec__text_puts(&text, " ");
	frec__text_double(&text, (double)0.1f, true);
	frec__text_puts(&text, " ");
	frec__text_double(&text, 3, true);
	assert_string_equal(text.data, "nan -inf 0.1 3.0");
	frec__text_free(&text);
}

// Tries every byte at every place of texts of every short length, because several bytes are checked
// at a time.
static void special_bytes_are_seen_anywhere(void **state)
{
	uint8_t bytes[20];
	char expected[64];

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	for (size_t size = 1; size <= sizeof(bytes); size++) {
		for (size_t i = 0; i < size; i++) {
			for (int byte = 0; byte < 256; byte++) {
				char escaped[8] = {(char)byte};
				int before = (int)i, behind = (int)(size - i - 1);

				if (byte == '"' || byte == '\\')
					snprintf(escaped, sizeof(escaped), "\\%c", byte);
				else if (byte == '\n' || byte == '\t')
					snprintf(escaped, sizeof(escaped), "\\%c",
						 byte == '\n' ? 'n' : 't');
				else if (byte < 0x20 || byte == 0x7f)
					snprintf(escaped, sizeof(escaped), "\\u%04x",
						 (unsigned int)byte);
				else if (byte >= 0x80)
					snprintf(escaped, sizeof(escaped), "\\\\x%02x",
						 (unsigned int)byte);
				snprintf(expected, sizeof(expected), "\"%.*s%s%.*s\"", before,
					 "xxxxxxxxxxxxxxxxxxxx", escaped, behind,
					 "xxxxxxxxxxxxxxxxxxxx");
				bytes[i] = (uint8_t)byte;
				check(frec__text_json, (const char *)bytes, size, expected);
				assert_int_equal(
					frec__bytes_are_plain(bytes, size, frec__not_ascii_text),
					byte && byte < 0x80);
			}
			bytes[i] = 'x';
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(special_bytes_are_seen_anywhere),
		cmocka_unit_test(utf8),
		cmocka_unit_test(terminal),
		cmocka_unit_test(json),
		cmocka_unit_test(doubles),
		cmocka_unit_test(doubles_as_printf_has_them),
		cmocka_unit_test(integers),
		cmocka_unit_test(special_doubles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
