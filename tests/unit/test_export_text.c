// SPDX-License-Identifier: MIT
// Proves that text is valid where it goes: UTF-8 in files, nothing on a terminal that the terminal
// would obey.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "export/text.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8),
		cmocka_unit_test(terminal),
		cmocka_unit_test(json),
		cmocka_unit_test(doubles),
		cmocka_unit_test(special_doubles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
