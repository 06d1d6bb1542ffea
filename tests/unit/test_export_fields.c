// SPDX-License-Identifier: MIT
// Proves that each kind of field decodes to its value, and that no layout and no payload makes the
// decoder read outside the payload.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "export/read/decode_plan.h"

static struct frec_value decode(Flightrec__Field *field, Flightrec__SourceKind kind,
				const void *bytes, size_t size)
{
	Flightrec__Source source = FLIGHTREC__SOURCE__INIT;
	struct frec_value value;
	uint8_t *payload =
		malloc(size); // a block of its own, so that a sanitizer sees a read past the end

	assert_non_null(payload);
	memcpy(payload, bytes, size);
	source.kind = kind;
	source.field = &field;
	source.n_field = 1;
	frec__field_decode(&source, 0, payload, size, &value);
	// Text and bytes must point to readable memory.
	for (size_t i = 0; i < value.size && value.kind != FREC_VALUE_INVALID; i++)
		((volatile uint8_t *)value.data)[i];
	value.data = NULL;
	free(payload);
	return value;
}

static Flightrec__Field field_of(Flightrec__FieldKind kind, uint32_t offset, uint32_t size)
{
	Flightrec__Field field = FLIGHTREC__FIELD__INIT;

	field.name = "field";
	field.kind = kind;
	field.offset = offset;
	field.size = size;
	return field;
}

static void numbers(void **state)
{
	const uint8_t bytes[] = {0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	Flightrec__Field field;

	(void)state;
	for (uint32_t size = 1; size <= 8; size++) {
		field = field_of(FLIGHTREC__FIELD_KIND__FIELD_SIGNED, 0, size);
		assert_int_equal(decode(&field, 0, bytes, sizeof(bytes)).i, -2);
		field = field_of(FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED, 0, size);
		assert_true(decode(&field, 0, bytes, sizeof(bytes)).u ==
			    (UINT64_MAX >> (64 - 8 * size)) - 1);
	}
	field = field_of(FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED, 0, 3);
	assert_int_equal(decode(&field, 0, bytes, 2).kind, FREC_VALUE_INVALID);
	field = field_of(FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED, UINT32_MAX, 8);
	assert_int_equal(decode(&field, 0, bytes, sizeof(bytes)).kind, FREC_VALUE_INVALID);
	field = field_of(FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED, 1, UINT32_MAX);
	assert_int_equal(decode(&field, 0, bytes, sizeof(bytes)).kind, FREC_VALUE_INVALID);
	field = field_of(FLIGHTREC__FIELD_KIND__FIELD_FLOAT, 0, 3);
	assert_int_equal(decode(&field, 0, bytes, sizeof(bytes)).kind, FREC_VALUE_BYTES);
}

// A field taken for a bool can hold another number, which is then shown.
static void bools(void **state)
{
	const uint8_t bytes[] = {0, 1, 200, 0, 2};
	Flightrec__Field field;

	(void)state;
	for (uint32_t at = 0; at < 2; at++) {
		field = field_of(FLIGHTREC__FIELD_KIND__FIELD_BOOL, at, 1);
		assert_int_equal(decode(&field, 0, bytes, sizeof(bytes)).kind, FREC_VALUE_BOOL);
		assert_int_equal(decode(&field, 0, bytes, sizeof(bytes)).u, at);
	}
	field = field_of(FLIGHTREC__FIELD_KIND__FIELD_BOOL, 2, 1);
	assert_int_equal(decode(&field, 0, bytes, sizeof(bytes)).kind, FREC_VALUE_UNSIGNED);
	assert_int_equal(decode(&field, 0, bytes, sizeof(bytes)).u, 200);
	field = field_of(FLIGHTREC__FIELD_KIND__FIELD_BOOL, 3, 2);
	assert_int_equal(decode(&field, 0, bytes, sizeof(bytes)).u, 512);
}

// The numbers of an array whose place a word gives; what is left behind the last whole one is not
// shown.
static void dynamic_arrays(void **state)
{
	const uint8_t bytes[] = {8, 0, 10, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 7, 7};
	Flightrec__Field field = field_of(FLIGHTREC__FIELD_KIND__FIELD_ARRAY, 0, 4);
	struct frec_value value, element;

	(void)state;
	field.locator = FLIGHTREC__LOCATOR__LOCATOR_DATA;
	field.element_size = 4;
	field.element_signed = true;
	value = decode(&field, 0, bytes, sizeof(bytes));
	assert_int_equal(value.kind, FREC_VALUE_ARRAY);
	assert_int_equal(frec__value_elements(&value), 2);
	value.data = bytes + 8;
	assert_true(frec__value_element(&value, 1, &element) && element.i == -2);
	assert_false(frec__value_element(&value, 2, &element));
}

static void enums_have_names(void **state)
{
	Flightrec__Enumerator low = FLIGHTREC__ENUMERATOR__INIT;
	Flightrec__Enumerator *all[] = {&low};
	Flightrec__Field field = field_of(FLIGHTREC__FIELD_KIND__FIELD_ENUM, 0, 1);
	struct frec_value value;

	(void)state;
	low.value = -3;
	low.name = "LOW";
	field.enumerator = all;
	field.n_enumerator = 1;
	value = decode(&field, 0, "\xfd", 1);
	assert_string_equal(value.name, "LOW");
	value = decode(&field, 0, "\x03", 1);
	assert_null(value.name);
	assert_int_equal(value.i, 3);
}

static void strings_and_cuts(void **state)
{
	Flightrec__Field field = field_of(FLIGHTREC__FIELD_KIND__FIELD_STRING, 0, 4);
	const struct {
		const char *bytes;
		size_t size, text;
		bool cut;
	} cases[] = {
		{"\0\0\4\0abc", 8, 3, false},  {"\0\0\5\0abc\0", 9, 3, true},
		{"\0\0\1\0", 5, 0, false},     {"\0\0\0\0", 4, 0, false},
		{"\0\0\2\0\0", 6, 0, true},    {"\0\0\3\0abc", 7, 3, false}, // no NUL at all
		{"\1\0\3\0\0ab", 8, 2, false},
	};

	(void)state;
	field.locator = FLIGHTREC__LOCATOR__LOCATOR_RELATIVE;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct frec_value value = decode(&field, FLIGHTREC__SOURCE_KIND__SOURCE_EVENT,
						 cases[i].bytes, cases[i].size);

		assert_int_equal(value.kind, FREC_VALUE_TEXT);
		assert_int_equal(value.size, cases[i].text);
		assert_int_equal(value.cut, cases[i].cut);
		// Only our own emitters use the last bytes of a text to mark that it was cut. The
		// texts of other events may end in NULs for other reasons.
		value = decode(&field, FLIGHTREC__SOURCE_KIND__SOURCE_USER_EVENT, cases[i].bytes,
			       cases[i].size);
		assert_false(value.cut);
	}
}

static void texts_of_known_length(void **state)
{
	Flightrec__Field field = field_of(FLIGHTREC__FIELD_KIND__FIELD_STRING, 0, 4);
	const struct {
		const char *bytes;
		size_t size, text;
		bool cut;
	} cases[] = {
		{"\0\0\4\0abc", 8, 3, false},	   {"\0\0\5\0abc\0", 9, 3, true},
		{"\0\0\6\0abc\0\0", 10, 4, false}, {"\0\0\4\0\0bc", 8, 3, false},
		{"\0\0\1\0", 5, 0, false},	   {"\0\0\2\0\0", 6, 0, true},
		{"\0\0\4\0\0\0\0", 8, 2, false},   {"\0\0\0\0", 4, 0, false},
		{"\0\0\3\0abc", 7, 3, false}, // no NUL at all
	};

	(void)state;
	field.locator = FLIGHTREC__LOCATOR__LOCATOR_RELATIVE;
	field.counted = true;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct frec_value value = decode(&field, FLIGHTREC__SOURCE_KIND__SOURCE_EVENT,
						 cases[i].bytes, cases[i].size);

		assert_int_equal(value.kind, FREC_VALUE_TEXT);
		assert_int_equal(value.size, cases[i].text);
		assert_int_equal(value.cut, cases[i].cut);
	}
}

// Printable bytes become text, but only if the type of the field is one of bytes.
static void bytes_that_are_printable(void **state)
{
	static const struct {
		const char *type, *bytes;
		bool text;
	} cases[] = {
		{"__rel_loc u8[]", "GET /k\xc3\xa4se\r\n", true},
		{"__data_loc unsigned char[]", "x", true},
		{"__rel_loc u8[]", "", false},
		{"__rel_loc u8[]", "\a bell", false},
		{"__rel_loc u8[]", "half \xc3", false},
		{"__rel_loc u8[]", "\xe2\x80\xae turned", false},
		{"__data_loc cpumask_t", "////", false},
		{"__data_loc u32[]", "aaaabbbb", false},
		{NULL, "text", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		Flightrec__Field field = field_of(FLIGHTREC__FIELD_KIND__FIELD_BYTES, 0, 4);
		size_t length = strlen(cases[i].bytes);
		char bytes[64] = {0, 0, (char)length, 0};
		struct frec_value value;

		field.locator = FLIGHTREC__LOCATOR__LOCATOR_RELATIVE;
		field.type = (char *)(uintptr_t)cases[i].type;
		memcpy(bytes + 4, cases[i].bytes, length);
		value = decode(&field, 0, bytes, 4 + length);
		assert_int_equal(value.kind, cases[i].text ? FREC_VALUE_TEXT : FREC_VALUE_BYTES);
		assert_int_equal(value.size, length);
		assert_false(value.cut);
	}
}

static void no_locator_leads_outside(void **state)
{
	(void)state;
	for (uint32_t length = 0; length < 12; length++) {
		for (uint32_t offset = 0; offset < 12; offset++) {
			for (int locator = 0; locator < 4; locator++) {
				Flightrec__Field field =
					field_of(FLIGHTREC__FIELD_KIND__FIELD_BYTES, 2, 4);
				uint8_t bytes[10] = {0, 0, (uint8_t)offset, 0, (uint8_t)length, 0};
				size_t begin = locator == 2 ? offset + 6 : offset;
				bool inside = begin + length <= sizeof(bytes);

				field.locator = (Flightrec__Locator)locator;
				assert_int_equal(decode(&field, 0, bytes, sizeof(bytes)).kind,
						 (locator == 1 || locator == 2) && inside
							 ? FREC_VALUE_BYTES
							 : FREC_VALUE_INVALID);
			}
		}
	}
}

// What one record leaves in the values must not be visible in those of the next.
static void a_plan_decodes_the_same(void **state)
{
	uint8_t payload[32];

	(void)state;
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(0xf7 - 13 * i);
	for (uint32_t size = 0; size <= 9; size++) {
		Flightrec__Field fields[FLIGHTREC__FIELD_KIND__FIELD_ARRAY + 2],
			*pointers[FLIGHTREC__FIELD_KIND__FIELD_ARRAY + 2];
		Flightrec__Source source = FLIGHTREC__SOURCE__INIT;
		struct frec_decode_plan plan;

		for (size_t kind = 0; kind < sizeof(fields) / sizeof(fields[0]); kind++) {
			fields[kind] =
				field_of((Flightrec__FieldKind)kind, (uint32_t)(2 * kind), size);
			fields[kind].element_size = 2;
			pointers[kind] = &fields[kind];
		}
		source.field = pointers;
		source.n_field = sizeof(fields) / sizeof(fields[0]);
		assert_int_equal(frec__decode_plan_init(&plan, &source), 0);
		for (size_t turn = 0; turn < 2 * sizeof(payload); turn++) {
			// Alternate between the whole payload and a truncated one, which grows by a
			// byte each time.
			size_t length = turn % 2 ? turn / 2 : sizeof(payload);

			frec__decode_plan_run(&plan, payload, length);
			for (size_t i = 0; i < source.n_field; i++) {
				struct frec_value expected, *found = &plan.values[i];

				frec__field_decode(&source, i, payload, length, &expected);
				assert_int_equal(found->kind, expected.kind);
				assert_ptr_equal(found->field, expected.field);
				if (expected.kind == FREC_VALUE_INVALID)
					continue;
				assert_int_equal(found->u, expected.u);
				assert_ptr_equal(found->data, expected.data);
				assert_int_equal(found->size, expected.size);
				assert_ptr_equal(found->name, expected.name);
				assert_int_equal(found->cut, expected.cut);
			}
		}
		frec__decode_plan_deinit(&plan);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(bools),
		cmocka_unit_test(dynamic_arrays),
		cmocka_unit_test(enums_have_names),
		cmocka_unit_test(strings_and_cuts),
		cmocka_unit_test(texts_of_known_length),
		cmocka_unit_test(bytes_that_are_printable),
		cmocka_unit_test(no_locator_leads_outside),
		cmocka_unit_test(a_plan_decodes_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
