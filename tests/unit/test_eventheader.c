// SPDX-License-Identifier: MIT
// Proves that events which carry their own description are decoded: every encoding with every format that it can have, both byte
// orders, arrays, structs and arrays of them, what the header says, and that damage of any kind neither crashes nor is hidden.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "export/eventheader_layout.h"
#include "export/events.h"
#include "export/verify.h"
#include "proto/part.h"

#define SAMPLE_TYPE (PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU | PERF_SAMPLE_RAW)
#include <linux/perf_event.h>

#define RAW_NAME "Test_Provider_L4K2aGgroup"
#define EXTENSION 4
#define POINTER64 1
#define LITTLE 2

// A payload in the making: description and data, put together at the end.
struct payload {
	bool big;
	uint8_t metadata[65536], data[65536];
	size_t metadata_size, data_size;
};

static void add_number(struct payload *payload, bool metadata, uint64_t value, size_t size)
{
	uint8_t *to = metadata ? payload->metadata + payload->metadata_size : payload->data + payload->data_size;

	for (size_t i = 0; i < size; i++)
		to[i] = (uint8_t)(value >> 8 * (payload->big ? size - 1 - i : i));
	*(metadata ? &payload->metadata_size : &payload->data_size) += size;
}

static void add_bytes(struct payload *payload, const void *data, size_t size)
{
	memcpy(payload->data + payload->data_size, data, size);
	payload->data_size += size;
}

static void add_name(struct payload *payload, const char *name)
{
	memcpy(payload->metadata + payload->metadata_size, name, strlen(name) + 1);
	payload->metadata_size += strlen(name) + 1;
}

// `encoding` with its flags for arrays; `length` of a fixed array.
static void add_field(struct payload *payload, const char *name, uint8_t encoding, uint8_t format, uint16_t length)
{
	add_name(payload, name);
	add_number(payload, true, encoding | (format ? FREC_EH_CHAIN : 0), 1);
	if (format)
		add_number(payload, true, format, 1);
	if (encoding & FREC_EH_FIXED_ARRAY)
		add_number(payload, true, length, 2);
}

static size_t finish(struct payload *payload, uint8_t opcode, uint16_t id, uint16_t tag, const uint8_t *activities,
		     size_t activities_size, uint8_t *ret)
{
	struct payload whole = {.big = payload->big};

	add_bytes(&whole, (const uint8_t[]){7, 0, 0, 0, 42, 0, 0, 0}, 8);
	add_number(&whole, false, EXTENSION | POINTER64 | (payload->big ? 0 : LITTLE), 1);
	add_number(&whole, false, 3, 1); // version
	add_number(&whole, false, id, 2);
	add_number(&whole, false, tag, 2);
	add_number(&whole, false, opcode, 1);
	add_number(&whole, false, 2, 1); // level
	if (activities_size) {
		add_number(&whole, false, activities_size, 2);
		add_number(&whole, false, 2 | 0x8000, 2);
		add_bytes(&whole, activities, activities_size);
	}
	add_number(&whole, false, payload->metadata_size, 2);
	add_number(&whole, false, 1, 2);
	add_bytes(&whole, payload->metadata, payload->metadata_size);
	add_bytes(&whole, payload->data, payload->data_size);
	memcpy(ret, whole.data, whole.data_size);
	return whole.data_size;
}

static void put(int fd, enum frec_part part, const ProtobufCMessage *message)
{
	uint8_t *data;
	size_t size;

	assert_false(frec__part_pack(part, message, &data, &size));
	assert_int_equal(write(fd, data, size), size);
	free(data);
}

// A snapshot with one tracepoint of this kind and these payloads.
static void open_snapshot(struct frec_snapshot *ret, const char *kernel_name, const uint8_t *const *payloads,
			  const size_t *sizes, uint32_t count)
{
	static const char *const names[] = {"eventheader_flags", "version", "id", "tag", "opcode", "level"};
	static const uint32_t places[][2] = {{8, 1}, {9, 1}, {10, 2}, {12, 2}, {14, 1}, {15, 1}};
	Flightrec__Header header = FLIGHTREC__HEADER__INIT;
	Flightrec__Source source = FLIGHTREC__SOURCE__INIT;
	Flightrec__Records records = FLIGHTREC__RECORDS__INIT;
	Flightrec__CpuCoverage cpu = FLIGHTREC__CPU_COVERAGE__INIT;
	Flightrec__Loss loss = FLIGHTREC__LOSS__INIT;
	Flightrec__End end = FLIGHTREC__END__INIT;
	Flightrec__Field fields[6], *pointers[6];
	uint8_t *plain = calloc(1, FREC_RECORDS_SIZE_MAX);
	struct frec_error error;
	int fd = memfd_create("snapshot", MFD_CLOEXEC);
	size_t size = 0;

	header.magic = (ProtobufCBinaryData){4, (uint8_t *)"FREC"};
	header.version = 1;
	header.machine = "x86_64";
	put(fd, FREC_PART_HEADER, &header.base);
	for (size_t i = 0; i < 6; i++) {
		flightrec__field__init(&fields[i]);
		fields[i].name = (char *)names[i];
		fields[i].kind = FLIGHTREC__FIELD_KIND__FIELD_UNSIGNED;
		fields[i].offset = places[i][0];
		fields[i].size = places[i][1];
		pointers[i] = &fields[i];
	}
	source.id = 1;
	source.kind = FLIGHTREC__SOURCE_KIND__SOURCE_USER_EVENT;
	source.system = "user_events";
	source.name = strchr((char *)kernel_name, ':') + 1;
	source.kernel_name = (char *)kernel_name;
	source.tracepoint_id = 7;
	source.sample_type = SAMPLE_TYPE;
	source.n_field = 6;
	source.field = pointers;
	put(fd, FREC_PART_SOURCE, &source.base);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t raw = (uint32_t)((sizes[i] + 4 + 7) / 8 * 8 - 4);
		struct perf_event_header head = {.type = PERF_RECORD_SAMPLE, .size = (uint16_t)(8 + 32 + 4 + raw)};
		uint64_t fixed[] = {1, 42 | 42ull << 32, 1000 + i, 0};

		memcpy(plain + size, &head, 8);
		memcpy(plain + size + 8, fixed, 32);
		memcpy(plain + size + 40, &raw, 4);
		memcpy(plain + size + 44, payloads[i], sizes[i]);
		size += head.size;
	}
	records.count = count;
	records.first = 1000;
	records.last = 1000 + count - 1;
	records.size = (uint32_t)size;
	records.content_case = FLIGHTREC__RECORDS__CONTENT_PLAIN;
	records.plain = (ProtobufCBinaryData){size, plain};
	put(fd, FREC_PART_RECORDS, &records.base);
	cpu.until = 5000;
	cpu.bytes_kept = cpu.bytes_written = size;
	cpu.records_kept = count;
	put(fd, FREC_PART_CPU, &cpu.base);
	loss.source = 1;
	loss.emitted_before = loss.emitted_after = loss.in_file = count;
	put(fd, FREC_PART_LOSS, &loss.base);
	end.parts = 5;
	end.records = count;
	put(fd, FREC_PART_END, &end.base);
	free(plain);
	if (frec__snapshot_open_fd(ret, fd, "snapshot", &error))
		fail_msg("%s", error.message);
}

// Everything that an event is, as text.
static void describe(struct frec_text *text, const struct frec_event *event)
{
	frec__text_printf(text, "%s:%s", event->source->system, event->source->name);
	for (size_t i = 0; i < event->source->n_field; i++) {
		frec__text_printf(text, " %s=", event->source->field[i]->name);
		frec__text_json_value(text, &event->values[i]);
		assert_ptr_equal(event->values[i].field, event->source->field[i]);
		// Formats that tell the size of a number ahead copy so many bytes.
		if (frec__field_type(event->source->field[i]) <= FREC_FIELD_FLOAT && event->values[i].kind != FREC_VALUE_INVALID)
			assert_int_equal(event->values[i].size, event->source->field[i]->size);
	}
}

static uint64_t problems_of(struct frec_snapshot *snapshot)
{
	struct frec_output output;
	struct frec_error error;
	uint64_t problems;
	int fd = memfd_create("problems", MFD_CLOEXEC);

	assert_false(frec__output_open_stream(&output, fd, &error));
	assert_false(frec__verify(snapshot, false, &output, &problems, &error));
	frec__output_commit(&output, &error);
	close(fd);
	return problems;
}

static void expect_payload(const uint8_t *payload, size_t size, const char *expected)
{
	struct frec_snapshot snapshot;
	struct frec_events events;
	const struct frec_event *event;
	struct frec_text text = {0};
	struct frec_error error;

	open_snapshot(&snapshot, "user_events:" RAW_NAME, &payload, &size, 1);
	assert_int_equal(problems_of(&snapshot), 0);
	assert_false(frec__events_init(&events, &snapshot, NULL, NULL, &error));
	event = frec__events_next(&events);
	assert_non_null(event);
	describe(&text, event);
	assert_string_equal(text.data, expected);
	assert_null(frec__events_next(&events));
	frec__text_free(&text);
	frec__events_deinit(&events);
	frec__snapshot_close(&snapshot);
}

// `expected` is what the fields become; in both byte orders.
static void expect(struct payload payloads[2], const char *expected)
{
	uint8_t bytes[65536];
	char all[4096];

	snprintf(all, sizeof(all), "Test_Provider:Event %s level=\"error\" keyword=\"0x2a\"", expected);
	for (int big = 0; big < 2; big++)
		expect_payload(bytes, finish(&payloads[big], 0, 0, 0, NULL, 0, bytes), all);
}

static struct payload *begin(void)
{
	static struct payload payloads[2];

	for (int big = 0; big < 2; big++) {
		payloads[big].big = big;
		payloads[big].metadata_size = payloads[big].data_size = 0;
		add_name(&payloads[big], "Event;attribute=value");
	}
	return payloads;
}

// One field of one number.
static void expect_number(uint8_t encoding, uint8_t format, uint64_t value, size_t size, const char *expected)
{
	struct payload *payloads = begin();
	char all[256];

	for (int big = 0; big < 2; big++) {
		add_field(&payloads[big], "x;a=b", encoding, format, 0);
		add_number(&payloads[big], false, value, size);
	}
	snprintf(all, sizeof(all), "x=%s", expected);
	expect(payloads, all);
	// The same with its length in front, which the payload tells.
	payloads = begin();
	for (int big = 0; big < 2; big++) {
		add_field(&payloads[big], "x", FREC_EH_BINARY, format ? format : FREC_EH_UNSIGNED, 0);
		add_number(&payloads[big], false, size, 2);
		add_number(&payloads[big], false, value, size);
	}
	if (format <= FREC_EH_FLOAT)
		expect(payloads, all);
}

static void test_numbers(void **state)
{
	(void)state;
	expect_number(FREC_EH_VALUE8, 0, 200, 1, "200");
	expect_number(FREC_EH_VALUE16, FREC_EH_UNSIGNED, 60000, 2, "60000");
	expect_number(FREC_EH_VALUE32, 0, 4000000000, 4, "4000000000");
	expect_number(FREC_EH_VALUE64, 0, UINT64_MAX, 8, "18446744073709551615");
	expect_number(FREC_EH_VALUE8, FREC_EH_SIGNED, (uint64_t)-3, 1, "-3");
	expect_number(FREC_EH_VALUE16, FREC_EH_SIGNED, (uint64_t)-30000, 2, "-30000");
	expect_number(FREC_EH_VALUE32, FREC_EH_SIGNED, (uint64_t)-5, 4, "-5");
	expect_number(FREC_EH_VALUE64, FREC_EH_SIGNED, (uint64_t)INT64_MIN, 8, "-9223372036854775808");
	expect_number(FREC_EH_VALUE8, FREC_EH_HEX, 0xab, 1, "\"0xab\"");
	expect_number(FREC_EH_VALUE64, FREC_EH_HEX, 0xfedcba9876543210, 8, "\"0xfedcba9876543210\"");
	expect_number(FREC_EH_VALUE32, FREC_EH_ERRNO, 2, 4, "\"ENOENT\"");
	expect_number(FREC_EH_VALUE32, FREC_EH_ERRNO, 9999, 4, "9999");
	expect_number(FREC_EH_VALUE32, FREC_EH_PID, 4711, 4, "4711");
	expect_number(FREC_EH_VALUE8, FREC_EH_BOOLEAN, 1, 1, "true");
	expect_number(FREC_EH_VALUE16, FREC_EH_BOOLEAN, 0, 2, "false");
	expect_number(FREC_EH_VALUE32, FREC_EH_BOOLEAN, 7, 4, "true");
	expect_number(FREC_EH_VALUE32, FREC_EH_FLOAT, 0x3fc00000, 4, "1.5");
	expect_number(FREC_EH_VALUE64, FREC_EH_FLOAT, 0xc004000000000000, 8, "-2.5");
	expect_number(FREC_EH_VALUE64, FREC_EH_FLOAT, 0x7ff0000000000000, 8, "\"inf\"");
	expect_number(FREC_EH_VALUE32, FREC_EH_TIME, 1714565400, 4, "\"2024-05-01T12:10:00Z\"");
	expect_number(FREC_EH_VALUE64, FREC_EH_TIME, 1714565400, 8, "\"2024-05-01T12:10:00Z\"");
	expect_number(FREC_EH_VALUE64, FREC_EH_TIME, (uint64_t)INT64_MAX, 8, "\"9223372036854775807\"");
	expect_number(FREC_EH_VALUE8, FREC_EH_LATIN1, 0xe4, 1, "\"ä\"");
	expect_number(FREC_EH_VALUE16, FREC_EH_UTF, 0x20ac, 2, "\"€\"");
	expect_number(FREC_EH_VALUE32, FREC_EH_UTF, 0x1f600, 4, "\"😀\"");
	// A format that the encoding cannot have: its own.
	expect_number(FREC_EH_VALUE8, FREC_EH_UUID, 9, 1, "9");
	expect_number(FREC_EH_VALUE16, 77, 9, 2, "9");
}

static void expect_bytes(uint8_t encoding, uint8_t format, const void *data, size_t size, bool counted, size_t each,
			 const char *expected)
{
	struct payload *payloads = begin();
	char all[256];

	for (int big = 0; big < 2; big++) {
		add_field(&payloads[big], "x", encoding, format, 0);
		if (counted)
			add_number(&payloads[big], false, size / each, 2);
		add_bytes(&payloads[big], data, size);
		// What follows is read from the right place.
		add_field(&payloads[big], "y", FREC_EH_VALUE8, 0, 0);
		add_number(&payloads[big], false, 77, 1);
	}
	snprintf(all, sizeof(all), "x=%s y=77", expected);
	expect(payloads, all);
}

static void test_bytes(void **state)
{
	static const uint8_t id[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe};
	static const uint8_t address[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};

	(void)state;
	expect_bytes(FREC_EH_VALUE128, 0, id, 16, false, 1, "\"0123456789abcdef1032547698badcfe\"");
	expect_bytes(FREC_EH_VALUE128, FREC_EH_UUID, id, 16, false, 1, "\"01234567-89ab-cdef-1032-547698badcfe\"");
	expect_bytes(FREC_EH_VALUE128, FREC_EH_IP, address, 16, false, 1, "\"2001:db8::1\"");
	expect_bytes(FREC_EH_VALUE128, FREC_EH_IP_OLD, address, 16, false, 1, "\"2001:db8::1\"");
	expect_bytes(FREC_EH_VALUE32, FREC_EH_IP, "\x7f\0\0\1", 4, false, 1, "\"127.0.0.1\"");
	expect_bytes(FREC_EH_VALUE16, FREC_EH_PORT, "\x1f\x90", 2, false, 1, "8080");
	expect_bytes(FREC_EH_VALUE32, FREC_EH_HEX_BYTES, "\1\2\3\4", 4, false, 1, "\"01020304\"");
	expect_bytes(FREC_EH_BINARY, 0, "\0\xff", 2, true, 1, "\"00ff\"");
	expect_bytes(FREC_EH_BINARY, FREC_EH_IP, "\x7f\0\0\1", 4, true, 1, "\"127.0.0.1\"");
	expect_bytes(FREC_EH_BINARY, FREC_EH_UUID, id, 16, true, 1, "\"01234567-89ab-cdef-1032-547698badcfe\"");
	expect_bytes(FREC_EH_BINARY, FREC_EH_UUID, id, 3, true, 1, "\"012345\"");
	expect_bytes(FREC_EH_BINARY, FREC_EH_UTF, "text", 4, true, 1, "\"text\"");
	// There is none.
	expect_bytes(FREC_EH_BINARY, FREC_EH_SIGNED, "", 0, true, 1, "null");
	expect_bytes(FREC_EH_BINARY, FREC_EH_TIME, "", 0, true, 1, "null");
	expect_bytes(FREC_EH_STRING8, FREC_EH_FLOAT, "", 0, true, 1, "null");
	expect_bytes(FREC_EH_STRING8, 0, "", 0, true, 1, "\"\"");
	// Texts of single bytes.
	expect_bytes(FREC_EH_ZSTRING8, 0, "caf\xc3\xa9", 6, false, 1, "\"café\"");
	expect_bytes(FREC_EH_ZSTRING8, FREC_EH_LATIN1, "caf\xe9", 5, false, 1, "\"café\"");
	expect_bytes(FREC_EH_ZSTRING8, FREC_EH_HEX_BYTES, "ab", 3, false, 1, "\"6162\"");
	expect_bytes(FREC_EH_ZSTRING8, FREC_EH_JSON, "{\"a\":1}", 8, false, 1, "\"{\\\"a\\\":1}\"");
	expect_bytes(FREC_EH_STRING8, FREC_EH_XML, "\xef\xbb\xbf<a/>", 7, true, 1, "\"<a/>\"");
	expect_bytes(FREC_EH_STRING8, FREC_EH_UTF_BOM, "\xff\xfe\xac\x20", 4, true, 1, "\"€\"");
	expect_bytes(FREC_EH_STRING8, FREC_EH_UTF_BOM, "\xfe\xff\x20\xac", 4, true, 1, "\"€\"");
	expect_bytes(FREC_EH_STRING8, 0, "cut\0here", 8, true, 1, "\"cut\"");
	// Not valid as what they are: still valid text.
	expect_bytes(FREC_EH_ZSTRING8, 0, "\xff", 2, false, 1, "\"\\\\xff\"");
	expect_bytes(FREC_EH_STRING16, FREC_EH_UTF_BOM, "\xff\xfe\xac\x20", 4, true, 2, "\"€\"");
	expect_bytes(FREC_EH_STRING16, FREC_EH_UTF_BOM, "\xff\xfe\x00\xd8", 4, true, 2, "\"\xef\xbf\xbd\"");
	expect_bytes(FREC_EH_STRING32, FREC_EH_UTF_BOM, "\0\0\xfe\xff\0\1\xf6\0", 8, true, 4, "\"😀\"");
	expect_bytes(FREC_EH_STRING32, FREC_EH_UTF_BOM, "\0\0\xfe\xff\x7f\xff\xff\xff", 8, true, 4, "\"\xef\xbf\xbd\"");
}

static void test_wide_text(void **state)
{
	static const uint32_t units[2][4] = {{'a', 0x20ac, 0xd83d, 0xde00}, {'a', 0x20ac, 0x1f600, 'b'}};
	static const uint8_t encodings[2][2] = {{FREC_EH_ZSTRING16, FREC_EH_STRING16}, {FREC_EH_ZSTRING32, FREC_EH_STRING32}};

	(void)state;
	for (int wide = 0; wide < 2; wide++) {
		for (int counted = 0; counted < 2; counted++) {
			struct payload *payloads = begin();
			size_t each = wide ? 4 : 2;

			for (int big = 0; big < 2; big++) {
				add_field(&payloads[big], "x", encodings[wide][counted], 0, 0);
				if (counted)
					add_number(&payloads[big], false, 4, 2);
				for (int i = 0; i < 4; i++)
					add_number(&payloads[big], false, units[wide][i], each);
				if (!counted)
					add_number(&payloads[big], false, 0, each);
				add_field(&payloads[big], "y", FREC_EH_VALUE8, 0, 0);
				add_number(&payloads[big], false, 77, 1);
			}
			expect(payloads, wide ? "x=\"a€😀b\" y=77" : "x=\"a€😀\" y=77");
		}
	}
}

static void test_arrays(void **state)
{
	struct payload *payloads = begin();

	(void)state;
	for (int big = 0; big < 2; big++) {
		struct payload *payload = &payloads[big];

		add_field(payload, "fixed", FREC_EH_VALUE16 | FREC_EH_FIXED_ARRAY, FREC_EH_SIGNED, 3);
		for (int i = -1; i < 2; i++)
			add_number(payload, false, (uint64_t)i, 2);
		add_field(payload, "variable", FREC_EH_VALUE32 | FREC_EH_VARIABLE_ARRAY, 0, 0);
		add_number(payload, false, 2, 2);
		add_number(payload, false, 4000000000, 4);
		add_number(payload, false, 1, 4);
		add_field(payload, "none", FREC_EH_VALUE64 | FREC_EH_VARIABLE_ARRAY, 0, 0);
		add_number(payload, false, 0, 2);
		add_field(payload, "floats", FREC_EH_VALUE32 | FREC_EH_FIXED_ARRAY, FREC_EH_FLOAT, 2);
		add_number(payload, false, 0x3fc00000, 4);
		add_number(payload, false, 0x7fc00000, 4);
		add_field(payload, "texts", FREC_EH_ZSTRING8 | FREC_EH_VARIABLE_ARRAY, 0, 0);
		add_number(payload, false, 2, 2);
		add_bytes(payload, "a\"\0b", 5);
	}
	expect(payloads, "fixed=[-1,0,1] variable=[4000000000,1] none=[] floats=\"[1.5,\\\"nan\\\"]\" "
			 "texts=\"[\\\"a\\\\\\\"\\\",\\\"b\\\"]\"");
}

static void test_structs(void **state)
{
	struct payload *payloads = begin();

	(void)state;
	for (int big = 0; big < 2; big++) {
		struct payload *payload = &payloads[big];

		add_field(payload, "outer", FREC_EH_STRUCT, 2, 0);
		add_field(payload, "a", FREC_EH_VALUE8, 0, 0);
		add_field(payload, "inner", FREC_EH_STRUCT, 1, 0);
		add_field(payload, "b", FREC_EH_ZSTRING8, 0, 0);
		add_number(payload, false, 1, 1);
		add_bytes(payload, "x", 2);
		add_field(payload, "many", FREC_EH_STRUCT | FREC_EH_VARIABLE_ARRAY, 3, 0);
		add_field(payload, "c", FREC_EH_VALUE16, 0, 0);
		add_field(payload, "deep", FREC_EH_STRUCT | FREC_EH_FIXED_ARRAY, 1, 2);
		add_field(payload, "d", FREC_EH_VALUE8, FREC_EH_BOOLEAN, 0);
		add_field(payload, "e", FREC_EH_VALUE8, 0, 0);
		add_number(payload, false, 2, 2);
		for (int i = 0; i < 2; i++) {
			add_number(payload, false, (uint64_t)i, 2);
			add_bytes(payload, "\0\1\7", 3);
		}
		// Names are made different.
		add_field(payload, "after", FREC_EH_VALUE8, 0, 0);
		add_field(payload, "after", FREC_EH_VALUE8, 0, 0);
		add_bytes(payload, "\5\6", 2);
	}
	expect(payloads, "outer.a=1 outer.inner.b=\"x\" "
			 "many=\"[{\\\"c\\\":0,\\\"deep\\\":[{\\\"d\\\":false},{\\\"d\\\":true}],\\\"e\\\":7},"
			 "{\\\"c\\\":1,\\\"deep\\\":[{\\\"d\\\":false},{\\\"d\\\":true}],\\\"e\\\":7}]\" after=5 after_5=6");
}

static void test_header(void **state)
{
	static const uint8_t activities[32] = {[0] = 1, [15] = 2, [16] = 3, [31] = 4};
	struct payload *payloads = begin();
	uint8_t bytes[65536];

	(void)state;
	for (int big = 0; big < 2; big++) {
		add_field(&payloads[big], "level", FREC_EH_VALUE8, 0, 0);
		add_number(&payloads[big], false, 9, 1);
		expect_payload(bytes, finish(&payloads[big], 1, 300, 0x1234, activities, 32, bytes),
			       "Test_Provider:Event level=9 level_2=\"error\" keyword=\"0x2a\" opcode=\"start\" id=300 version=3 "
			       "tag=\"0x1234\" activity=\"01000000-0000-0000-0000-000000000002\" "
			       "related_activity=\"03000000-0000-0000-0000-000000000004\"");
		expect_payload(bytes, finish(&payloads[big], 0xf0, 0, 0, activities, 16, bytes),
			       "Test_Provider:Event level=9 level_2=\"error\" keyword=\"0x2a\" opcode=240 "
			       "activity=\"01000000-0000-0000-0000-000000000002\"");
	}
}

// Events with one description share a source, and the tracepoint's own name finds them too.
static void test_sources(void **state)
{
	static const char *const globs[] = {"user_events:*_L4K*"};
	const struct frec_filter_options by_tracepoint = {.events = globs, .event_count = 1};
	uint8_t bytes[4][65536];
	const uint8_t *pointers[] = {bytes[0], bytes[1], bytes[2], bytes[3]};
	struct frec_snapshot snapshot;
	struct frec_events events;
	struct frec_error error;
	size_t sizes[4];
	unsigned int seen = 0;

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		struct payload *payload = begin();

		add_field(payload, i < 3 ? "x" : "other", FREC_EH_VALUE8, 0, 0);
		add_number(payload, false, i, 1);
		sizes[i] = finish(payload, 0, 0, 0, NULL, 0, bytes[i]);
	}
	bytes[2][8] &= (uint8_t)~EXTENSION; // without a description: an event of the tracepoint
	open_snapshot(&snapshot, "user_events:" RAW_NAME, pointers, sizes, 4);
	assert_int_equal(snapshot.source_count, 3);
	assert_false(frec__events_init(&events, &snapshot, &by_tracepoint, NULL, &error));
	for (const struct frec_event *event; (event = frec__events_next(&events)); seen++) {
		assert_string_equal(event->source->name, seen == 2 ? RAW_NAME : "Event");
		assert_string_equal(event->source->field[0]->name, seen == 2 ? "eventheader_flags" : seen == 3 ? "other" : "x");
		assert_int_equal(event->values[0].u, seen == 2 ? POINTER64 | LITTLE : seen);
		assert_ptr_equal(event->source, snapshot.sources[event->record->source_index]);
	}
	assert_int_equal(seen, 4);
	frec__events_deinit(&events);
	frec__snapshot_close(&snapshot);
}

// Cut at each byte, and with each byte changed: never more than words that something is missing.
static void test_damage(void **state)
{
	struct payload *payloads = begin();
	uint8_t bytes[65536], *exact;
	size_t size;

	(void)state;
	add_field(payloads, "many", FREC_EH_STRUCT | FREC_EH_VARIABLE_ARRAY, 2, 0);
	add_field(payloads, "c", FREC_EH_VALUE16 | FREC_EH_FIXED_ARRAY, 0, 2);
	add_field(payloads, "d", FREC_EH_ZSTRING16, 0, 0);
	add_field(payloads, "e", FREC_EH_STRING32, 0, 0);
	add_number(payloads, false, 1, 2);
	add_bytes(payloads, "\1\0\2\0a\0\0\0\1\0b\0\0\0", 14);
	size = finish(payloads, 1, 2, 3, (const uint8_t[32]){0}, 32, bytes);
	for (size_t i = 0; i < 2 * size; i++) {
		struct frec_snapshot snapshot;
		struct frec_events events;
		struct frec_error error;
		size_t length = i < size ? i : size;

		exact = malloc(length + 1);
		memcpy(exact, bytes, length);
		if (i >= size)
			exact[i - size] ^= 0xff;
		open_snapshot(&snapshot, "user_events:" RAW_NAME, (const uint8_t *const *)&exact, &length, 1);
		problems_of(&snapshot);
		assert_false(frec__events_init(&events, &snapshot, NULL, NULL, &error));
		while (frec__events_next(&events))
			;
		frec__events_deinit(&events);
		frec__snapshot_close(&snapshot);
		free(exact);
	}
	// What the payload lacks is told by verify. A whole word less, since records are padded.
	payloads = begin();
	add_field(payloads, "x", FREC_EH_VALUE64, 0, 0);
	size = finish(payloads, 0, 0, 0, NULL, 0, bytes);
	for (int whole = 0; whole < 2; whole++) {
		struct frec_snapshot snapshot;
		const uint8_t *pointer = bytes;
		size_t length = size + (whole ? 8 : 0);

		open_snapshot(&snapshot, "user_events:" RAW_NAME, &pointer, &length, 1);
		assert_int_equal(problems_of(&snapshot), whole ? 0 : 1);
		frec__snapshot_close(&snapshot);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),	  cmocka_unit_test(test_bytes),	  cmocka_unit_test(test_wide_text),
		cmocka_unit_test(test_arrays),	  cmocka_unit_test(test_structs), cmocka_unit_test(test_header),
		cmocka_unit_test(test_sources),	  cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
