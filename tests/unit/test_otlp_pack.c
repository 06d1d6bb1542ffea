// SPDX-License-Identifier: MIT
// Proves that log records packed by hand equal those that protobuf-c packs from the schema, byte
// for byte: every kind of value, each field of a record, and what a hostile file can hold.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "export/otlp/log_record.h"
#include "export/timeline/hosts.h"
#include "otlp.pb-c.h"

#define PAIRS_MAX 48
#define LONG_NAME 10000

static char long_text[100000 + 1];
static char long_name[LONG_NAME + 1];

static Flightrec__Field fields[PAIRS_MAX], *field_list[PAIRS_MAX];
static char field_names[PAIRS_MAX][8];
static char keys[PAIRS_MAX][16];
static Flightrec__Source source = FLIGHTREC__SOURCE__INIT, *source_list[] = {&source};
static Flightrec__Clocks clocks = FLIGHTREC__CLOCKS__INIT, *clock_list[] = {&clocks};
static struct frec_snapshot snapshot = {
	.sources = source_list, .source_count = 1, .clocks = clock_list, .clocks_count = 1};
static struct frec_host host = {.snapshot = &snapshot};
static const struct frec_otlp_ids no_ids;

static int make_source(void **state)
{
	(void)state;
	memset(long_text, 'x', sizeof(long_text) - 1);
	memset(long_name, 'n', sizeof(long_name) - 1);
	source.system = "shop";
	source.name = "order";
	source.field = field_list;
	clocks.monotonic = 1000;
	clocks.realtime = 1700000000000001000;
	for (int i = 0; i < PAIRS_MAX; i++) {
		flightrec__field__init(&fields[i]);
		snprintf(field_names[i], sizeof(field_names[i]), "f%d", i);
		snprintf(keys[i], sizeof(keys[i]), "shop.f%d", i);
		fields[i].name = field_names[i];
		field_list[i] = &fields[i];
	}
	return 0;
}

// A record as protobuf-c's structures.
struct expected {
	Otlp__LogRecord record;
	Otlp__KeyValue pairs[PAIRS_MAX], *list[PAIRS_MAX];
	Otlp__AnyValue values[PAIRS_MAX];
};

static void expect(struct expected *expected)
{
	otlp__log_record__init(&expected->record);
	expected->record.attributes = expected->list;
	expected->record.event_name = "shop.order";
}

static void expect_pair(struct expected *expected, const char *key, Otlp__AnyValue value)
{
	size_t i = expected->record.n_attributes++;

	assert_true(i < PAIRS_MAX);
	expected->values[i] = value;
	otlp__key_value__init(&expected->pairs[i]);
	expected->pairs[i].key = (char *)key;
	expected->pairs[i].value = &expected->values[i];
	expected->list[i] = &expected->pairs[i];
}

static Otlp__AnyValue none(void)
{
	return (Otlp__AnyValue)OTLP__ANY_VALUE__INIT;
}

static Otlp__AnyValue string(const char *text)
{
	Otlp__AnyValue value = none();

	value.value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	value.string_value = (char *)text;
	return value;
}

static Otlp__AnyValue integer(int64_t number)
{
	Otlp__AnyValue value = none();

	value.value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
	value.int_value = number;
	return value;
}

static Otlp__AnyValue boolean(bool truth)
{
	Otlp__AnyValue value = none();

	value.value_case = OTLP__ANY_VALUE__VALUE_BOOL_VALUE;
	value.bool_value = truth;
	return value;
}

static Otlp__AnyValue real(double number)
{
	Otlp__AnyValue value = none();

	value.value_case = OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE;
	value.double_value = number;
	return value;
}

static Otlp__AnyValue bytes(const void *data, size_t size)
{
	Otlp__AnyValue value = none();

	value.value_case = OTLP__ANY_VALUE__VALUE_BYTES_VALUE;
	value.bytes_value = (ProtobufCBinaryData){.data = (uint8_t *)data, .len = size};
	return value;
}

static Otlp__AnyValue array(Otlp__ArrayValue *array, Otlp__AnyValue **list, size_t count)
{
	Otlp__AnyValue value = none();

	otlp__array_value__init(array);
	array->values = list;
	array->n_values = count;
	value.value_case = OTLP__ANY_VALUE__VALUE_ARRAY_VALUE;
	value.array_value = array;
	return value;
}

static void require_packed(const struct frec_otlp_records *records,
			   struct expected *const *expected, size_t count)
{
	Otlp__LogRecord *list[4];
	Otlp__ScopeLogs logs = OTLP__SCOPE_LOGS__INIT;
	uint8_t *packed;
	size_t size;

	assert_in_range(count, 1, 4);
	for (size_t i = 0; i < count; i++)
		list[i] = &expected[i]->record;
	logs.log_records = list;
	logs.n_log_records = count;
	size = otlp__scope_logs__get_packed_size(&logs);
	packed = malloc(size);
	assert_non_null(packed);
	otlp__scope_logs__pack(&logs, packed);
	assert_false(records->packed.failed);
	assert_int_equal(records->count, count);
	assert_int_equal(records->packed.size, size);
	assert_memory_equal(records->packed.data, packed, size);
	free(packed);
}

static const struct frec_record bare = {.source = &source,
					.time = 1234,
					.pid = FREC_UNKNOWN,
					.tid = FREC_UNKNOWN,
					.cpu = FREC_UNKNOWN};

static void add(struct frec_otlp_records *records, const struct frec_record *record,
		const struct frec_value *values, size_t count, const struct frec_process_entry *who,
		const struct frec_otlp_ids *ids)
{
	const struct frec_event event = {
		.record = record, .source = &source, .values = values, .who = who, .host = &host};

	source.n_field = count;
	frec__otlp_records_add(records, &event, ids);
}

static void expect_time(struct expected *expected, uint64_t time)
{
	expected->record.time_unix_nano = time + 1700000000000000000;
	expected->record.observed_time_unix_nano = time + 1700000000000000000;
	expect_pair(expected, "flightrec.time", integer((int64_t)time));
}

// Packs a record with one value in a field, and with it in two fields.
static void require_value(struct frec_value value, Otlp__AnyValue wanted)
{
	for (size_t count = 1; count <= 2; count++) {
		struct frec_value values[2] = {value, value};
		struct frec_otlp_records records;
		struct expected expected;

		frec__otlp_records_init(&records, &snapshot);
		expect(&expected);
		expect_time(&expected, bare.time);
		for (size_t i = 0; i < count; i++)
			expect_pair(&expected, keys[i], wanted);
		add(&records, &bare, values, count, NULL, &no_ids);
		require_packed(&records, &(struct expected *){&expected}, 1);
		frec__otlp_records_deinit(&records);
	}
}

static void numbers(void **state)
{
	static const int64_t integers[] = {0,	  1,	 -1,	    127,       128,
					   16383, 16384, INT32_MIN, INT64_MAX, INT64_MIN};
	static const double reals[] = {0.0,
				       -0.0,
				       1.5,
				       -1e308,
				       5e-324,
				       __builtin_inf(),
				       -__builtin_inf(),
				       __builtin_nan("")};

	(void)state;
	require_value((struct frec_value){.kind = FREC_VALUE_INVALID}, none());
	for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++) {
		struct frec_value value = {.kind = FREC_VALUE_SIGNED, .i = integers[i]};

		require_value(value, integer(integers[i]));
		value.kind = FREC_VALUE_ENUM;
		require_value(value, integer(integers[i]));
		value.kind = FREC_VALUE_BOOL;
		require_value(value, boolean(integers[i]));
		value.kind = FREC_VALUE_UNSIGNED;
		if (integers[i] >= 0)
			require_value(value, integer(integers[i]));
	}
	// OTLP has no unsigned integers.
	require_value((struct frec_value){.kind = FREC_VALUE_UNSIGNED, .u = 1ull << 63},
		      string("9223372036854775808"));
	require_value((struct frec_value){.kind = FREC_VALUE_UNSIGNED, .u = UINT64_MAX},
		      string("18446744073709551615"));
	require_value((struct frec_value){.kind = FREC_VALUE_POINTER, .u = 0}, string("0x0"));
	require_value((struct frec_value){.kind = FREC_VALUE_POINTER, .u = UINT64_MAX},
		      string("0xffffffffffffffff"));
	for (size_t i = 0; i < sizeof(reals) / sizeof(reals[0]); i++) {
		require_value((struct frec_value){.kind = FREC_VALUE_DOUBLE, .d = reals[i]},
			      real(reals[i]));
		require_value((struct frec_value){.kind = FREC_VALUE_FLOAT, .d = reals[i]},
			      real(reals[i]));
	}
}

static void require_text(const void *data, size_t size, const char *wanted)
{
	require_value((struct frec_value){.kind = FREC_VALUE_TEXT, .data = data, .size = size},
		      string(wanted));
}

// The sizes are on both sides of each step at which a length around the text takes another byte.
static void texts_and_bytes(void **state)
{
	static const uint8_t hostile[] = {'a',	0,    0xff, 0xc0, 0x80, 0xed,
					  0xa0, 0x80, '\n', 0xe2, 0x82};
	char escaped[4 * 20000 + 1], *invalid = malloc(20000);

	(void)state;
	assert_non_null(invalid);
	for (size_t size = 0; size < 300; size++) {
		const char *text = long_text + sizeof(long_text) - 1 - size;

		require_text(text, size, text);
		require_value((struct frec_value){.kind = FREC_VALUE_ENUM, .name = text},
			      string(text));
		require_value((struct frec_value){.kind = FREC_VALUE_BYTES,
						  .data = (const uint8_t *)text,
						  .size = size},
			      bytes(text, size));
	}
	for (size_t size = 16300; size < 16400; size++) {
		const char *text = long_text + sizeof(long_text) - 1 - size;

		require_text(text, size, text);
	}
	require_text(long_text, sizeof(long_text) - 1, long_text);
	require_text(NULL, 0, "");
	require_text("\xc3\xa9\xf0\x9f\x92\xa5", 6, "\xc3\xa9\xf0\x9f\x92\xa5");
	require_text(hostile, sizeof(hostile), "a\\x00\\xff\\xc0\\x80\\xed\\xa0\\x80\n\\xe2\\x82");
	require_value((struct frec_value){.kind = FREC_VALUE_ENUM, .name = "\xff"},
		      string("\\xff"));
	require_value((struct frec_value){.kind = FREC_VALUE_BYTES,
					  .data = hostile,
					  .size = sizeof(hostile)},
		      bytes(hostile, sizeof(hostile)));
	require_value((struct frec_value){.kind = FREC_VALUE_BYTES}, bytes(NULL, 0));
	memset(invalid, 0xfe, 20000);
	for (size_t i = 0; i < 20000; i++)
		memcpy(escaped + 4 * i, "\\xfe", 5);
	require_text(invalid, 20000, escaped);
	free(invalid);
}

static void arrays(void **state)
{
	enum { COUNT = 3000 };
	static const unsigned int sizes[] = {1, 2, 4, 8};
	static const size_t counts[] = {0, 1, 2, 31, 32, 42, 43, 64, 1000, COUNT};
	static Otlp__AnyValue values[COUNT], *list[COUNT];
	uint8_t *data = malloc(COUNT * 8);

	(void)state;
	assert_non_null(data);
	// Every other element has its highest bit set, so it is negative or does not fit int64.
	for (size_t i = 0; i < COUNT * 8; i++)
		data[i] = i % 16 < 8 ? 0xff - (i / 16) % 2 : (uint8_t)(i / 64);
	for (size_t s = 0; s < 4 * 2; s++) {
		bool is_signed = s & 1;
		unsigned int size = sizes[s / 2];
		Flightrec__Field field = FLIGHTREC__FIELD__INIT;

		field.element_size = size;
		field.element_signed = is_signed;
		for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
			struct frec_value value = {.kind = FREC_VALUE_ARRAY,
						   .field = &field,
						   .data = data,
						   .size = counts[c] * size};
			static char digits[COUNT][24];
			Otlp__ArrayValue wanted;

			for (size_t i = 0; i < counts[c]; i++) {
				uint64_t number = 0;
				unsigned int shift = 64 - 8 * size;

				memcpy(&number, data + i * size, size);
				values[i] = integer(is_signed ? (int64_t)(number << shift) >> shift
							      : (int64_t)number);
				snprintf(digits[i], sizeof(digits[i]), "%llu",
					 (unsigned long long)number);
				if (!is_signed && number > INT64_MAX)
					values[i] = string(digits[i]);
				list[i] = &values[i];
			}
			require_value(value, array(&wanted, list, counts[c]));
			// What is left after the last whole element is no element.
			value.size += size - 1;
			if (counts[c] < COUNT)
				require_value(value, array(&wanted, list, counts[c]));
		}
	}
	free(data);
}

static void ids_and_numbers(void **state)
{
	static const struct frec_otlp_ids ids[] = {
		{{0}, {0}}, {{[15] = 1}, {0}}, {{0}, {[7] = 0x80}}, {"0123456789abcde", "0123456"}};

	(void)state;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		static const uint32_t some[] = {0, 1, 127, 128, INT32_MAX, UINT32_MAX - 1};

		for (size_t k = 0; k < sizeof(some) / sizeof(some[0]); k++) {
			const struct frec_record record = {.source = &source,
							   .time = k,
							   .pid = some[k],
							   .tid = some[k],
							   .cpu = some[k]};
			struct frec_otlp_records records;
			struct expected expected;

			frec__otlp_records_init(&records, &snapshot);
			expect(&expected);
			expect_time(&expected, k);
			expect_pair(&expected, "process.pid", integer(some[k]));
			expect_pair(&expected, "thread.id", integer(some[k]));
			expect_pair(&expected, "cpu.logical_number", integer(some[k]));
			if (i & 1)
				expected.record.trace_id = (ProtobufCBinaryData){
					sizeof(ids[i].trace), (uint8_t *)ids[i].trace};
			if (i & 2)
				expected.record.span_id = (ProtobufCBinaryData){
					sizeof(ids[i].span), (uint8_t *)ids[i].span};
			add(&records, &record, NULL, 0, NULL, &ids[i]);
			require_packed(&records, &(struct expected *){&expected}, 1);
			frec__otlp_records_deinit(&records);
		}
	}
}

static void times(void **state)
{
	static const uint64_t some[] = {0, 1, INT64_MAX, UINT64_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		struct frec_record record = bare;
		struct frec_otlp_records records;
		struct expected expected;

		record.time = some[i];
		snapshot.clocks_count = 0; // a time of 0 is 0 in the record too, and no field
		frec__otlp_records_init(&records, &snapshot);
		expect(&expected);
		expected.record.time_unix_nano = expected.record.observed_time_unix_nano = some[i];
		expect_pair(&expected, "flightrec.time", integer((int64_t)some[i]));
		add(&records, &record, NULL, 0, NULL, &no_ids);
		require_packed(&records, &(struct expected *){&expected}, 1);
		frec__otlp_records_deinit(&records);
		snapshot.clocks_count = 1;
	}
}

static ProtobufCBinaryData data_of(const char *text)
{
	return (ProtobufCBinaryData){strlen(text), (uint8_t *)text};
}

// A tag does not replace an attribute that is there already, and every key is valid UTF-8.
static void threads_and_tags(void **state)
{
	static const char *const tags[][2] = {{"process.pid", "9"}, {"thread.name", "fake"},
					      {"shop.f0", "fake"},  {"shop.f", "prefix"},
					      {"", "no key"},	    {"\xff", "\xfe"},
					      {long_name, ""},	    {"env", long_text}};
	Flightrec__Pair pairs[8], *pair_list[8];
	Flightrec__Process process = FLIGHTREC__PROCESS__INIT;
	Flightrec__Thread thread = FLIGHTREC__THREAD__INIT;
	const struct frec_process_entry who = {.tid = 8, .process = &process, .thread = &thread};
	const struct frec_value value = {.kind = FREC_VALUE_UNSIGNED, .u = 5};
	struct frec_record record = bare;

	(void)state;
	record.pid = 7;
	record.tid = 8;
	process.pid = 7;
	process.tag = pair_list;
	for (size_t i = 0; i < 8; i++) {
		flightrec__pair__init(&pairs[i]);
		pairs[i].key = (char *)tags[i][0];
		pairs[i].value = data_of(tags[i][1]);
		pair_list[i] = &pairs[i];
	}
	for (int i = 0; i < 2; i++) {
		struct frec_otlp_records records;
		struct expected expected;

		process.name = data_of(i ? "" : "pay\xff");
		thread.name = data_of(i ? long_text : "worker");
		process.n_tag = i ? 0 : 8;
		frec__otlp_records_init(&records, &snapshot);
		expect(&expected);
		expect_time(&expected, bare.time);
		expect_pair(&expected, "process.pid", integer(7));
		if (!i)
			expect_pair(&expected, "process.executable.name", string("pay\\xff"));
		expect_pair(&expected, "thread.id", integer(8));
		expect_pair(&expected, "thread.name", string(i ? long_text : "worker"));
		expect_pair(&expected, "shop.f0", integer(5));
		if (!i) {
			expect_pair(&expected, "shop.f", string("prefix"));
			expect_pair(&expected, "", string("no key"));
			expect_pair(&expected, "\\xff", string("\\xfe"));
			expect_pair(&expected, long_name, string(""));
			expect_pair(&expected, "env", string(long_text));
		}
		add(&records, &record, &value, 1, &who, &no_ids);
		require_packed(&records, &(struct expected *){&expected}, 1);
		frec__otlp_records_deinit(&records);
	}
}

// The names grow by their escapes. Those of fields are a little longer than FREC_LIMIT_NAME, as are
// the numbered ones that the reader makes for fields of EventHeader events.
static void cut_fields_with_long_names(void **state)
{
	enum { COUNT = 8 };
	char name[FREC_LIMIT_NAME + 6] = "", escaped[4 * sizeof(name)];
	char qualified[2 * sizeof(escaped)];
	Otlp__AnyValue names[COUNT], *name_list[COUNT];
	struct frec_value values[COUNT + 1];
	struct frec_otlp_records records;
	struct expected expected;
	Otlp__ArrayValue list;

	(void)state;
	memset(name, 0xff, sizeof(name) - 1);
	for (size_t i = 0; i < sizeof(name) - 1; i++)
		memcpy(escaped + 4 * i, "\\xff", 5);
	snprintf(qualified, sizeof(qualified), "%s.%s", escaped, escaped);
	source.system = source.name = name;
	frec__otlp_records_init(&records, &snapshot);
	expect(&expected);
	expected.record.event_name = qualified;
	expect_time(&expected, bare.time);
	for (size_t i = 0; i < COUNT; i++) {
		fields[i].name = name;
		values[i] = (struct frec_value){.kind = FREC_VALUE_TEXT, .cut = true};
		expect_pair(&expected, qualified, string(""));
		names[i] = string(escaped);
		name_list[i] = &names[i];
	}
	// This field is not cut, so its name is not among those that are.
	fields[COUNT].name = name;
	values[COUNT] = (struct frec_value){.kind = FREC_VALUE_TEXT};
	expect_pair(&expected, qualified, string(""));
	expect_pair(&expected, "flightrec.truncated", array(&list, name_list, COUNT));
	add(&records, &bare, values, COUNT + 1, NULL, &no_ids);
	require_packed(&records, &(struct expected *){&expected}, 1);
	frec__otlp_records_deinit(&records);
	source.system = "shop";
	source.name = "order";
	for (size_t i = 0; i <= COUNT; i++)
		fields[i].name = field_names[i];
}

// The length of a record is first guessed to take as many bytes as that of the last one. The last
// record is one that protobuf-c packs.
static void records_after_one_another(void **state)
{
	static const size_t sizes[] = {1, 99000, 20};
	struct expected expected[4], *list[4];
	struct frec_otlp_records records;

	(void)state;
	frec__otlp_records_init(&records, &snapshot);
	for (size_t i = 0; i < 4; i++) {
		const char *text = long_text + sizeof(long_text) - 1 - sizes[i % 3];
		const struct frec_value value = {.kind = FREC_VALUE_TEXT,
						 .data = (const uint8_t *)text,
						 .size = sizes[i % 3]};

		list[i] = &expected[i];
		expect(&expected[i]);
		expect_time(&expected[i], bare.time);
		expect_pair(&expected[i], keys[0], string(text));
		if (i < 3)
			add(&records, &bare, &value, 1, NULL, &no_ids);
		else
			frec__otlp_records_add_message(&records, &expected[i].record.base);
	}
	require_packed(&records, list, 4);
	frec__otlp_records_deinit(&records);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(texts_and_bytes),
		cmocka_unit_test(arrays),
		cmocka_unit_test(ids_and_numbers),
		cmocka_unit_test(times),
		cmocka_unit_test(threads_and_tags),
		cmocka_unit_test(cut_fields_with_long_names),
		cmocka_unit_test(records_after_one_another),
	};

	return cmocka_run_group_tests(tests, make_source, NULL);
}
