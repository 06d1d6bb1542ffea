// SPDX-License-Identifier: MIT
// Proves that payloads have the layout that the kernel reads, and that fields that do not fit are
// cut or refused.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "recorder/service/payload.h"
#include "recorder/service/readable.h"

#define STRINGS_MAX 40

static char payload[FREC_PAYLOAD_MAX + 64];
static uint64_t texts_mask; // which of the next event's strings are texts of known length

// Builds an event whose fixed part is the index and a locator for each of `count` strings, texts or
// byte arrays.
static int build(const struct iovec *data, int count, uint64_t bytes_mask,
		 struct frec__payload *ret)
{
	struct iovec vector[1 + 2 * STRINGS_MAX];
	uint32_t fixed[1 + STRINGS_MAX] = {0};
	uint16_t places[STRINGS_MAX + 1] = {0};
	size_t size = 0;
	int result;

	for (int i = 0; i < count; i++) {
		places[i] = (uint16_t)(4 + 4 * i);
		if (bytes_mask >> i & 1)
			places[i] |= FREC__BYTES_FLAG;
		if (texts_mask >> i & 1)
			places[i] |= FREC__TEXT_FLAG;
		vector[1 + count + i] = data[i];
		if (!((bytes_mask | texts_mask) >> i & 1))
			vector[1 + count + i].iov_len = frec__text_length(data[i].iov_base) + 1;
	}
	vector[0] = (struct iovec){fixed, 4 + 4 * (size_t)count};
	result = frec__payload_build(vector, places, ret);
	if (result)
		return result;
	assert_true(ret->count <= 1 + 2 * count);
	for (int i = 0; i < ret->count; i++) {
		assert_true(size + vector[i].iov_len <= sizeof(payload));
		memcpy(payload + size, vector[i].iov_base, vector[i].iov_len);
		size += vector[i].iov_len;
	}
	assert_int_equal(size, ret->size + 4);
	assert_true(ret->size <= FREC_PAYLOAD_MAX);
	return 0;
}

static int build_strings(char **strings, int count, struct frec__payload *ret)
{
	struct iovec data[STRINGS_MAX];

	for (int i = 0; i < count; i++)
		data[i] = (struct iovec){strings[i], 0};
	return build(data, count, 0, ret);
}

// Follows the locator of the field as the kernel does.
static const char *found(int field, size_t *ret_size)
{
	size_t at = 4 + 4 * (size_t)field;
	uint32_t locator;

	memcpy(&locator, payload + at, sizeof(locator));
	*ret_size = locator >> 16;
	return payload + at + sizeof(locator) + (locator & 0xffff);
}

static char *letters(size_t length)
{
	char *text = malloc(length + 1);

	assert_non_null(text);
	memset(text, 'a', length);
	text[length] = 0;
	return text;
}

static void test_pieces(void **state)
{
	struct iovec data[] = {{"hello", 0}, {"\1\2\0\3", 4}, {NULL, 0}, {NULL, 0}, {"", 0}};
	struct frec__payload built;
	size_t size;

	(void)state;
	assert_int_equal(build(data, 5, 1 << 1 | 1 << 3, &built), 0);
	assert_false(built.cut);
	assert_string_equal(found(0, &size), "hello");
	assert_int_equal(size, 6);
	assert_memory_equal(found(1, &size), "\1\2\0\3", 4);
	assert_int_equal(size, 4);
	assert_string_equal(found(2, &size), "(null)");
	assert_int_equal(size, 7);
	found(3, &size);
	assert_int_equal(size, 0);
	assert_string_equal(found(4, &size), "");
	assert_int_equal(size, 1);
	assert_int_equal(built.size, 5 * 4 + 6 + 4 + 7 + 0 + 1);
}

static void test_longest_that_fits(void **state)
{
	char *text = letters(FREC_PAYLOAD_MAX - 4 - 1);
	struct frec__payload built;
	size_t size;

	(void)state;
	assert_int_equal(build_strings(&text, 1, &built), 0);
	assert_false(built.cut);
	assert_int_equal(built.size, FREC_PAYLOAD_MAX);
	assert_string_equal(found(0, &size), text);
	free(text);
}

static void test_one_too_long(void **state)
{
	char *text = letters(FREC_PAYLOAD_MAX - 4);
	struct frec__payload built;
	const char *kept;
	size_t size;

	(void)state;
	assert_int_equal(build_strings(&text, 1, &built), 0);
	assert_true(built.cut);
	assert_int_equal(built.size, FREC_PAYLOAD_MAX);
	kept = found(0, &size);
	assert_int_equal(strlen(kept), FREC_PAYLOAD_MAX - 4 - 2);
	assert_int_equal(size, strlen(kept) + 2);
	assert_memory_equal(kept + size - 2, "\0\0", 2);
	free(text);
}

/* "\xe2\x82\xac" is one character, which no cut may split. */
static void test_cut_between_characters(void **state)
{
	struct frec__payload built;
	size_t size;

	(void)state;
	for (size_t before = 0; before < 3; before++) {
		char *text = letters(FREC_PAYLOAD_MAX + 100);
		const char *kept;

		for (size_t i = before; i + 3 <= FREC_PAYLOAD_MAX + 100; i += 3)
			memcpy(text + i, "\xe2\x82\xac", 3);
		assert_int_equal(build_strings(&text, 1, &built), 0);
		kept = found(0, &size);
		assert_int_equal((strlen(kept) - before) % 3, 0);
		assert_in_range(strlen(kept), FREC_PAYLOAD_MAX - 4 - 2 - 2,
				FREC_PAYLOAD_MAX - 4 - 2);
		assert_int_equal(size, strlen(kept) + 2);
		free(text);
	}
}

static void test_cut_of_what_is_not_utf8(void **state)
{
	char *text = letters(FREC_PAYLOAD_MAX + 100);
	struct frec__payload built;
	size_t size;

	(void)state;
	memset(text, 0x80, FREC_PAYLOAD_MAX + 100);
	assert_int_equal(build_strings(&text, 1, &built), 0);
	assert_int_equal(strlen(found(0, &size)), FREC_PAYLOAD_MAX - 4 - 2);
	free(text);
}

// Short strings stay whole, whatever their position. Long ones share the rest equally.
static void test_longest_are_cut(void **state)
{
	char *strings[] = {letters(7000), letters(10), letters(20000), letters(1000)};
	struct frec__payload built;
	size_t size;

	(void)state;
	assert_int_equal(build_strings(strings, 4, &built), 0);
	assert_true(built.cut);
	assert_int_equal(strlen(found(1, &size)), 10);
	assert_int_equal(size, 11);
	assert_int_equal(strlen(found(3, &size)), 1000);
	assert_int_equal(size, 1001);
	assert_int_equal(strlen(found(0, &size)), strlen(found(2, &size)));
	assert_in_range(built.size, FREC_PAYLOAD_MAX - 8, FREC_PAYLOAD_MAX);
	for (int i = 0; i < 4; i++)
		free(strings[i]);
}

static void test_many_long_ones(void **state)
{
	char *strings[STRINGS_MAX];
	struct frec__payload built;
	size_t size;

	(void)state;
	for (int i = 0; i < STRINGS_MAX; i++)
		strings[i] = letters(500 + (size_t)i);
	assert_int_equal(build_strings(strings, STRINGS_MAX, &built), 0);
	assert_in_range(built.size, FREC_PAYLOAD_MAX - STRINGS_MAX, FREC_PAYLOAD_MAX);
	for (int i = 0; i < STRINGS_MAX; i++) {
		const char *kept = found(i, &size);

		assert_int_equal(size, strlen(kept) + 2);
		free(strings[i]);
	}
}

static void test_bytes_are_never_cut(void **state)
{
	char *text = letters(FREC_PAYLOAD_MAX * 2);
	struct iovec fits[] = {{text, FREC_PAYLOAD_MAX - 8 - 2}, {text, 0}};
	struct iovec too_large[] = {{text, FREC_PAYLOAD_MAX - 8 - 1}, {text, 0}};
	struct iovec absurd[] = {{text, SIZE_MAX - 2}, {text, SIZE_MAX - 2}};
	struct frec__payload built;
	size_t size;

	(void)state;
	assert_int_equal(build(fits, 2, 1, &built), 0);
	assert_true(built.cut);
	assert_int_equal(built.size, FREC_PAYLOAD_MAX);
	assert_string_equal(found(1, &size), "");
	assert_int_equal(size, 2);
	assert_int_equal(build(too_large, 2, 1, &built), -E2BIG);
	assert_int_equal(build(absurd, 2, 3, &built), -E2BIG);
	assert_true(built.size > FREC_PAYLOAD_MAX);
	free(text);
}

// A whole text has one NUL at its end, or, if it ends in NULs itself, two more. A cut one has two.
static void test_texts(void **state)
{
	static const struct {
		const char *text;
		size_t size, ends;
	} cases[] = {{"", 0, 1},      {"key", 3, 1},  {"no end", 2, 1},	       {"in\0side", 7, 1},
		     {"end\0", 4, 2}, {"\0\0", 2, 2}, {"\xff\xfe \xc3", 4, 1}, {NULL, 0, 1}};

	(void)state;
	texts_mask = 1 << 1;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		// A string before and bytes after it, so that a wrong length moves one of them.
		struct iovec data[] = {
			{"s", 0}, {(void *)(uintptr_t)cases[i].text, cases[i].size}, {"\1\2", 2}};
		struct frec__payload built;
		const char *kept;
		size_t size;

		assert_int_equal(build(data, 3, 1 << 2, &built), 0);
		assert_false(built.cut);
		kept = found(1, &size);
		assert_int_equal(size, cases[i].size + cases[i].ends);
		if (cases[i].size)
			assert_memory_equal(kept, cases[i].text, cases[i].size);
		assert_memory_equal(kept + cases[i].size, "\0\0", cases[i].ends);
		assert_memory_equal(found(2, &size), "\1\2", 2);
		assert_string_equal(found(0, &size), "s");
	}
	texts_mask = 0;
}

static void test_text_that_is_too_long(void **state)
{
	char *text = letters(FREC_PAYLOAD_MAX * 2);
	struct iovec fits[] = {{text, FREC_PAYLOAD_MAX - 4 - 1}};
	struct iovec longer[] = {{text, FREC_PAYLOAD_MAX - 4}};
	struct iovec absurd[] = {{text, SIZE_MAX}, {text, FREC_PAYLOAD_MAX - 8 - 2}};
	struct frec__payload built;
	const char *kept;
	size_t size;

	(void)state;
	texts_mask = 1;
	assert_int_equal(build(fits, 1, 0, &built), 0);
	assert_false(built.cut);
	assert_int_equal(built.size, FREC_PAYLOAD_MAX);
	assert_int_equal(build(longer, 1, 0, &built), 0);
	assert_true(built.cut);
	assert_int_equal(built.size, FREC_PAYLOAD_MAX);
	kept = found(0, &size);
	assert_memory_equal(kept + size - 3, "a\0\0", 3);
	// Bytes are kept, and nothing is left for the text.
	assert_int_equal(build(absurd, 2, 1 << 1, &built), 0);
	assert_true(built.cut);
	found(0, &size);
	assert_int_equal(size, 2);
	// A cut text does not end in NULs of its own, nor within a character.
	memset(text + 4000, 0, FREC_PAYLOAD_MAX);
	assert_int_equal(build(longer, 1, 0, &built), 0);
	kept = found(0, &size);
	assert_int_equal(size, 4000 + 2);
	memset(text, 'a', 4000 + FREC_PAYLOAD_MAX);
	memcpy(text + FREC_PAYLOAD_MAX - 4 - 2 - 1, "\xe2\x82\xac", 3);
	assert_int_equal(build(longer, 1, 0, &built), 0);
	found(0, &size);
	assert_int_equal(size, FREC_PAYLOAD_MAX - 4 - 2 - 1 + 2);
	texts_mask = 0;
	free(text);
}

// Addresses where no memory can be are not read. The size that is reported is then that without
// strings.
static void test_impossible_addresses(void **state)
{
	const uint64_t end = FREC__ADDRESS_MIN + FREC__ADDRESSES;
	struct iovec low[] = {{(void *)8, 8}, {(void *)"text", 0}};
	struct iovec string[] = {{(void *)"bytes", 5}, {(void *)(uintptr_t)-1, 0}};
	struct iovec across[] = {{(void *)(uintptr_t)(end - 7), 8}, {(void *)"text", 0}};
	struct iovec nothing[] = {{(void *)(uintptr_t)-1, 0}, {NULL, 0}};
	struct frec__payload built;

	(void)state;
	assert_int_equal(build(low, 2, 1, &built), -EFAULT);
	assert_int_equal(built.size, 16);
	assert_int_equal(build(string, 2, 1, &built), -EFAULT);
	assert_int_equal(built.size, 13);
	assert_int_equal(build(across, 2, 1, &built), -EFAULT);
	assert_int_equal(build(nothing, 2, 1, &built), 0);
	assert_false(frec__readable((void *)(FREC__ADDRESS_MIN - 1)));
	assert_true(frec__readable((void *)FREC__ADDRESS_MIN));
	assert_true(frec__readable((void *)(uintptr_t)(end - 1)));
	assert_false(frec__readable((void *)(uintptr_t)end));
	assert_true(frec__readable_bytes((void *)(uintptr_t)(end - 8), 8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_longest_that_fits),
		cmocka_unit_test(test_one_too_long),
		cmocka_unit_test(test_cut_between_characters),
		cmocka_unit_test(test_cut_of_what_is_not_utf8),
		cmocka_unit_test(test_longest_are_cut),
		cmocka_unit_test(test_many_long_ones),
		cmocka_unit_test(test_bytes_are_never_cut),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_text_that_is_too_long),
		cmocka_unit_test(test_impossible_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
