// SPDX-License-Identifier: MIT
// Proves that events which carry their own description are decoded: every encoding with every
// format that it can have, both byte orders, arrays, structs, arrays of structs, and the header.
// Proves that damage of any kind does no harm and is reported.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "export/otlp/spans.h"
#include "export/read/eventheader_layout.h"
#include "export/read/input.h"
#include "export/read/text_values.h"
#include "export/timeline/events.h"
#include "export/timeline/timeline.h"
#include "export/verify.h"
#include "tests/data/make_eventheader.h"

static void open_file(struct frec_snapshot *ret, struct made_file *file)
{
	struct frec_error error;
	int fd = memfd_create("snapshot", MFD_CLOEXEC);

	assert_int_equal(write(fd, file->data, file->size), file->size);
	free(file->data);
	if (frec__input_open_fd(ret, fd, "snapshot", &error))
		fail_msg("%s", error.message);
}

// Opens a snapshot with one tracepoint, which has emitted these payloads.
static void open_snapshot(struct frec_snapshot *ret, const uint8_t *const *payloads,
			  const size_t *sizes, uint32_t count)
{
	struct made_file file;

	make_eventheader(&file, payloads, sizes, NULL, count);
	open_file(ret, &file);
}

// Appends an event with all its fields to `text`.
static void describe(struct frec_text *text, const struct frec_event *event)
{
	frec__text_printf(text, "%s:%s", event->source->system, event->source->name);
	for (size_t i = 0; i < event->source->n_field; i++) {
		frec__text_printf(text, " %s=", event->source->field[i]->name);
		frec__text_json_value(text, &event->values[i]);
		assert_ptr_equal(event->values[i].field, event->source->field[i]);
		// Export formats that declare the size of a number copy that many bytes.
		if (frec__field_type(event->source->field[i]) <= FREC_FIELD_FLOAT &&
		    event->values[i].kind != FREC_VALUE_INVALID)
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

	open_snapshot(&snapshot, &payload, &size, 1);
	assert_int_equal(problems_of(&snapshot), 0);
	assert_false(frec__events_init(&events, &snapshot, NULL, NULL, &error));
	event = frec__events_next(&events);
	assert_non_null(event);
	describe(&text, event);
	assert_string_equal(text.data, expected);
	assert_null(frec__events_next(&events));
	frec__text_free(&text);
	frec__events_deinit(&events);
	frec__input_close(&snapshot);
}

// Checks in both byte orders that the fields are decoded to `expected`.
static void expect(struct eh_payload payloads[2], const char *expected)
{
	uint8_t bytes[65536];
	char all[4096];

	snprintf(all, sizeof(all), "Test_Provider:Event %s level=\"error\" keyword=\"0x2a\"",
		 expected);
	for (int big = 0; big < 2; big++)
		expect_payload(bytes, eh_finish(&payloads[big], 0, 0, 0, NULL, 0, bytes), all);
}

static struct eh_payload *begin(void)
{
	static struct eh_payload payloads[2];

	for (int big = 0; big < 2; big++) {
		payloads[big].big = big;
		payloads[big].metadata_size = payloads[big].data_size = 0;
		eh_name(&payloads[big], "Event;attribute=value");
	}
	return payloads;
}

// Checks one field with one number.
static void expect_number(uint8_t encoding, uint8_t format, uint64_t value, size_t size,
			  const char *expected)
{
	struct eh_payload *payloads = begin();
	char all[256];

	for (int big = 0; big < 2; big++) {
		eh_field(&payloads[big], "x;a=b", encoding, format, 0);
		eh_number(&payloads[big], false, value, size);
	}
	snprintf(all, sizeof(all), "x=%s", expected);
	expect(payloads, all);
	// Check the same number as binary data, whose length is in the payload.
	payloads = begin();
	for (int big = 0; big < 2; big++) {
		eh_field(&payloads[big], "x", FREC_EH_BINARY, format ? format : FREC_EH_UNSIGNED,
			 0);
		eh_number(&payloads[big], false, size, 2);
		eh_number(&payloads[big], false, value, size);
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
	expect_number(FREC_EH_VALUE64, FREC_EH_SIGNED, (uint64_t)INT64_MIN, 8,
		      "-9223372036854775808");
	expect_number(FREC_EH_VALUE8, FREC_EH_HEX, 0xab, 1, "\"0xab\"");
	expect_number(FREC_EH_VALUE64, FREC_EH_HEX, 0xfedcba9876543210, 8,
		      "\"0xfedcba9876543210\"");
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
	expect_number(FREC_EH_VALUE64, FREC_EH_TIME, (uint64_t)INT64_MAX, 8,
		      "\"9223372036854775807\"");
	expect_number(FREC_EH_VALUE8, FREC_EH_LATIN1, 0xe4, 1, "\"ä\"");
	expect_number(FREC_EH_VALUE16, FREC_EH_UTF, 0x20ac, 2, "\"€\"");
	expect_number(FREC_EH_VALUE32, FREC_EH_UTF, 0x1f600, 4, "\"😀\"");
	// A format that the encoding cannot have is replaced by the encoding's default format.
	expect_number(FREC_EH_VALUE8, FREC_EH_UUID, 9, 1, "9");
	expect_number(FREC_EH_VALUE16, 77, 9, 2, "9");
}

static void expect_bytes(uint8_t encoding, uint8_t format, const void *data, size_t size,
			 bool counted, size_t each, const char *expected)
{
	struct eh_payload *payloads = begin();
	char all[256];

	for (int big = 0; big < 2; big++) {
		eh_field(&payloads[big], "x", encoding, format, 0);
		if (counted)
			eh_number(&payloads[big], false, size / each, 2);
		eh_bytes(&payloads[big], data, size);
		// The next field shows whether x was read to its end.
		eh_field(&payloads[big], "y", FREC_EH_VALUE8, 0, 0);
		eh_number(&payloads[big], false, 77, 1);
	}
	snprintf(all, sizeof(all), "x=%s y=77", expected);
	expect(payloads, all);
}

static void test_bytes(void **state)
{
	static const uint8_t id[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
				     0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe};
	static const uint8_t address[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};

	(void)state;
	expect_bytes(FREC_EH_VALUE128, 0, id, 16, false, 1, "\"0123456789abcdef1032547698badcfe\"");
	expect_bytes(FREC_EH_VALUE128, FREC_EH_UUID, id, 16, false, 1,
		     "\"01234567-89ab-cdef-1032-547698badcfe\"");
	expect_bytes(FREC_EH_VALUE128, FREC_EH_IP, address, 16, false, 1, "\"2001:db8::1\"");
	expect_bytes(FREC_EH_VALUE128, FREC_EH_IP_OLD, address, 16, false, 1, "\"2001:db8::1\"");
	expect_bytes(FREC_EH_VALUE32, FREC_EH_IP, "\x7f\0\0\1", 4, false, 1, "\"127.0.0.1\"");
	expect_bytes(FREC_EH_VALUE16, FREC_EH_PORT, "\x1f\x90", 2, false, 1, "8080");
	expect_bytes(FREC_EH_VALUE32, FREC_EH_HEX_BYTES, "\1\2\3\4", 4, false, 1, "\"01020304\"");
	expect_bytes(FREC_EH_BINARY, 0, "\0\xff", 2, true, 1, "\"00ff\"");
	expect_bytes(FREC_EH_BINARY, FREC_EH_IP, "\x7f\0\0\1", 4, true, 1, "\"127.0.0.1\"");
	expect_bytes(FREC_EH_BINARY, FREC_EH_UUID, id, 16, true, 1,
		     "\"01234567-89ab-cdef-1032-547698badcfe\"");
	expect_bytes(FREC_EH_BINARY, FREC_EH_UUID, id, 3, true, 1, "\"012345\"");
	expect_bytes(FREC_EH_BINARY, FREC_EH_UTF, "text", 4, true, 1, "\"text\"");
	// An empty field has no value, unless it is text.
	expect_bytes(FREC_EH_BINARY, FREC_EH_SIGNED, "", 0, true, 1, "null");
	expect_bytes(FREC_EH_BINARY, FREC_EH_TIME, "", 0, true, 1, "null");
	expect_bytes(FREC_EH_STRING8, FREC_EH_FLOAT, "", 0, true, 1, "null");
	expect_bytes(FREC_EH_STRING8, 0, "", 0, true, 1, "\"\"");
	// Texts of one byte per character.
	expect_bytes(FREC_EH_ZSTRING8, 0, "caf\xc3\xa9", 6, false, 1, "\"café\"");
	expect_bytes(FREC_EH_ZSTRING8, FREC_EH_LATIN1, "caf\xe9", 5, false, 1, "\"café\"");
	expect_bytes(FREC_EH_ZSTRING8, FREC_EH_HEX_BYTES, "ab", 3, false, 1, "\"6162\"");
	expect_bytes(FREC_EH_ZSTRING8, FREC_EH_JSON, "{\"a\":1}", 8, false, 1, "\"{\\\"a\\\":1}\"");
	expect_bytes(FREC_EH_STRING8, FREC_EH_XML, "\xef\xbb\xbf<a/>", 7, true, 1, "\"<a/>\"");
	expect_bytes(FREC_EH_STRING8, FREC_EH_UTF_BOM, "\xff\xfe\xac\x20", 4, true, 1, "\"€\"");
	expect_bytes(FREC_EH_STRING8, FREC_EH_UTF_BOM, "\xfe\xff\x20\xac", 4, true, 1, "\"€\"");
	expect_bytes(FREC_EH_STRING8, 0, "cut\0here", 8, true, 1, "\"cut\"");
	// Invalid characters are escaped or replaced, so the result is valid text.
	expect_bytes(FREC_EH_ZSTRING8, 0, "\xff", 2, false, 1, "\"\\\\xff\"");
	expect_bytes(FREC_EH_STRING16, FREC_EH_UTF_BOM, "\xff\xfe\xac\x20", 4, true, 2, "\"€\"");
	expect_bytes(FREC_EH_STRING16, FREC_EH_UTF_BOM, "\xff\xfe\x00\xd8", 4, true, 2,
		     "\"\xef\xbf\xbd\"");
	expect_bytes(FREC_EH_STRING32, FREC_EH_UTF_BOM, "\0\0\xfe\xff\0\1\xf6\0", 8, true, 4,
		     "\"😀\"");
	expect_bytes(FREC_EH_STRING32, FREC_EH_UTF_BOM, "\0\0\xfe\xff\x7f\xff\xff\xff", 8, true, 4,
		     "\"\xef\xbf\xbd\"");
}

static void test_wide_text(void **state)
{
	static const uint32_t units[2][4] = {{'a', 0x20ac, 0xd83d, 0xde00},
					     {'a', 0x20ac, 0x1f600, 'b'}};
	static const uint8_t encodings[2][2] = {{FREC_EH_ZSTRING16, FREC_EH_STRING16},
						{FREC_EH_ZSTRING32, FREC_EH_STRING32}};

	(void)state;
	for (int wide = 0; wide < 2; wide++) {
		for (int counted = 0; counted < 2; counted++) {
			struct eh_payload *payloads = begin();
			size_t each = wide ? 4 : 2;

			for (int big = 0; big < 2; big++) {
				eh_field(&payloads[big], "x", encodings[wide][counted], 0, 0);
				if (counted)
					eh_number(&payloads[big], false, 4, 2);
				for (int i = 0; i < 4; i++)
					eh_number(&payloads[big], false, units[wide][i], each);
				if (!counted)
					eh_number(&payloads[big], false, 0, each);
				eh_field(&payloads[big], "y", FREC_EH_VALUE8, 0, 0);
				eh_number(&payloads[big], false, 77, 1);
			}
			expect(payloads, wide ? "x=\"a€😀b\" y=77" : "x=\"a€😀\" y=77");
		}
	}
}

static void test_arrays(void **state)
{
	struct eh_payload *payloads = begin();

	(void)state;
	for (int big = 0; big < 2; big++) {
		struct eh_payload *payload = &payloads[big];

		eh_field(payload, "fixed", FREC_EH_VALUE16 | FREC_EH_FIXED_ARRAY, FREC_EH_SIGNED,
			 3);
		for (int i = -1; i < 2; i++)
			eh_number(payload, false, (uint64_t)i, 2);
		eh_field(payload, "variable", FREC_EH_VALUE32 | FREC_EH_VARIABLE_ARRAY, 0, 0);
		eh_number(payload, false, 2, 2);
		eh_number(payload, false, 4000000000, 4);
		eh_number(payload, false, 1, 4);
		eh_field(payload, "none", FREC_EH_VALUE64 | FREC_EH_VARIABLE_ARRAY, 0, 0);
		eh_number(payload, false, 0, 2);
		eh_field(payload, "floats", FREC_EH_VALUE32 | FREC_EH_FIXED_ARRAY, FREC_EH_FLOAT,
			 2);
		eh_number(payload, false, 0x3fc00000, 4);
		eh_number(payload, false, 0x7fc00000, 4);
		eh_field(payload, "texts", FREC_EH_ZSTRING8 | FREC_EH_VARIABLE_ARRAY, 0, 0);
		eh_number(payload, false, 2, 2);
		eh_bytes(payload, "a\"\0b", 5);
	}
	expect(payloads,
	       "fixed=[-1,0,1] variable=[4000000000,1] none=[] floats=\"[1.5,\\\"nan\\\"]\" "
	       "texts=\"[\\\"a\\\\\\\"\\\",\\\"b\\\"]\"");
}

static void test_structs(void **state)
{
	struct eh_payload *payloads = begin();

	(void)state;
	for (int big = 0; big < 2; big++) {
		struct eh_payload *payload = &payloads[big];

		eh_field(payload, "outer", FREC_EH_STRUCT, 2, 0);
		eh_field(payload, "a", FREC_EH_VALUE8, 0, 0);
		eh_field(payload, "inner", FREC_EH_STRUCT, 1, 0);
		eh_field(payload, "b", FREC_EH_ZSTRING8, 0, 0);
		eh_number(payload, false, 1, 1);
		eh_bytes(payload, "x", 2);
		eh_field(payload, "many", FREC_EH_STRUCT | FREC_EH_VARIABLE_ARRAY, 3, 0);
		eh_field(payload, "c", FREC_EH_VALUE16, 0, 0);
		eh_field(payload, "deep", FREC_EH_STRUCT | FREC_EH_FIXED_ARRAY, 1, 2);
		eh_field(payload, "d", FREC_EH_VALUE8, FREC_EH_BOOLEAN, 0);
		eh_field(payload, "e", FREC_EH_VALUE8, 0, 0);
		eh_number(payload, false, 2, 2);
		for (int i = 0; i < 2; i++) {
			eh_number(payload, false, (uint64_t)i, 2);
			eh_bytes(payload, "\0\1\7", 3);
		}
		// Fields of equal names get suffixes.
		eh_field(payload, "after", FREC_EH_VALUE8, 0, 0);
		eh_field(payload, "after", FREC_EH_VALUE8, 0, 0);
		eh_bytes(payload, "\5\6", 2);
	}
	expect(payloads, "outer.a=1 outer.inner.b=\"x\" "
			 "many=\"[{\\\"c\\\":0,\\\"deep\\\":[{\\\"d\\\":false},{\\\"d\\\":true}],"
			 "\\\"e\\\":7},"
			 "{\\\"c\\\":1,\\\"deep\\\":[{\\\"d\\\":false},{\\\"d\\\":true}],\\\"e\\\":"
			 "7}]\" after=5 after_5=6");
}

static void test_header(void **state)
{
	static const uint8_t activities[32] = {[0] = 1, [15] = 2, [16] = 3, [31] = 4};
	struct eh_payload *payloads = begin();
	uint8_t bytes[65536];

	(void)state;
	for (int big = 0; big < 2; big++) {
		eh_field(&payloads[big], "level", FREC_EH_VALUE8, 0, 0);
		eh_number(&payloads[big], false, 9, 1);
		expect_payload(bytes,
			       eh_finish(&payloads[big], 1, 300, 0x1234, activities, 32, bytes),
			       "Test_Provider:Event level=9 level_2=\"error\" keyword=\"0x2a\" "
			       "opcode=\"start\" id=300 version=3 "
			       "tag=\"0x1234\" activity=\"01000000-0000-0000-0000-000000000002\" "
			       "related_activity=\"03000000-0000-0000-0000-000000000004\"");
		expect_payload(
			bytes, eh_finish(&payloads[big], 0xf0, 0, 0, activities, 16, bytes),
			"Test_Provider:Event level=9 level_2=\"error\" keyword=\"0x2a\" opcode=240 "
			"activity=\"01000000-0000-0000-0000-000000000002\"");
	}
}

// Events with the same description share a source. A filter for the name of their tracepoint
// selects them too.
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
		struct eh_payload *payload = begin();

		eh_field(payload, i < 3 ? "x" : "other", FREC_EH_VALUE8, 0, 0);
		eh_number(payload, false, i, 1);
		sizes[i] = eh_finish(payload, 0, 0, 0, NULL, 0, bytes[i]);
	}
	bytes[2][8] &= (uint8_t)~EH_EXTENSION; // without a description: a plain tracepoint event
	open_snapshot(&snapshot, pointers, sizes, 4);
	assert_int_equal(snapshot.source_count, 3);
	assert_false(frec__events_init(&events, &snapshot, &by_tracepoint, NULL, &error));
	for (const struct frec_event *event; (event = frec__events_next(&events)); seen++) {
		assert_string_equal(event->source->name, seen == 2 ? EH_RAW_NAME : "Event");
		assert_string_equal(event->source->field[0]->name, seen == 2   ? "eventheader_flags"
								   : seen == 3 ? "other"
									       : "x");
		assert_int_equal(event->values[0].u, seen == 2 ? EH_POINTER64 | EH_LITTLE : seen);
		assert_ptr_equal(event->source, snapshot.sources[event->record->source_index]);
	}
	assert_int_equal(seen, 4);
	frec__events_deinit(&events);
	frec__input_close(&snapshot);
}

// Starts and stops with equal activity ids form spans, and OpenTelemetry's spans have the parents
// that the activity ids imply.
static void test_activities(void **state)
{
	static const struct {
		enum frec_shape_kind kind;
		const char *name; /* of the event's span */
		uint64_t begin;	  /* of an end event: when the span began */
		int lane_of; /* index of the event that began on the same lane; -1: on the thread */
		int within;  /* index of the event that began the enclosing span; -1: none */
	} expected[] = {
		{FREC_SHAPE_BEGIN, "Request", 0, 0, -1}, {FREC_SHAPE_BEGIN, "Query", 0, 1, 0},
		{FREC_SHAPE_INSTANT, "Query", 0, -1, 1}, {FREC_SHAPE_BEGIN, "Request", 0, 3, -1},
		{FREC_SHAPE_END, "Query", 1001, 1, -1},	 {FREC_SHAPE_END, "Request", 1000, 0, -1},
		{FREC_SHAPE_BEGIN, "Step", 0, -1, -1},	 {FREC_SHAPE_END, "Step", 1006, -1, -1},
		{FREC_SHAPE_END, "Stray", 999, 8, -1},
	};
	struct frec_otlp_ids ids[9];
	struct frec_otlp_spans spans = {0};
	const struct frec_timeline_options options = {0};
	struct frec_snapshot snapshot, *snapshots = &snapshot;
	struct frec_timeline timeline;
	struct frec_error error;
	struct made_file file;
	uint32_t lanes[9];
	size_t count = 0;

	(void)state;
	make_activities(&file);
	open_file(&snapshot, &file);
	assert_false(frec__timeline_init(&timeline, &snapshots, 1, &options, &error));
	spans.shapes = &timeline.shapes;
	for (const struct frec_event *event; (event = frec__timeline_next(&timeline)); count++) {
		const struct frec_shape *shape = event->shape;
		struct frec_otlp_span *begun;

		assert_non_null(shape);
		assert_int_equal(shape->kind, expected[count].kind);
		lanes[count] = shape->lane;
		if (shape->kind != FREC_SHAPE_INSTANT)
			assert_string_equal(timeline.shapes.spans[shape->span].name,
					    expected[count].name);
		if (shape->kind == FREC_SHAPE_END)
			assert_int_equal(shape->begin, expected[count].begin);
		assert_int_equal(shape->lane,
				 expected[count].lane_of < 0 ? 0 : lanes[expected[count].lane_of]);
		assert_true(expected[count].lane_of < 0 || shape->lane);
		assert_int_equal(shape->within,
				 expected[count].within < 0 ? 0 : lanes[expected[count].within]);
		assert_false(frec__otlp_follow(&spans, event, &ids[count], &begun, &error));
		if (count == 1)
			assert_memory_equal(&begun->around, &ids[0], sizeof(ids[0]));
		if (expected[count].within >= 0)
			assert_memory_equal(ids[count].trace, ids[expected[count].within].trace,
					    sizeof(ids[0].trace));
		if (count == 2)
			assert_memory_equal(&ids[2], &ids[1], sizeof(ids[2]));
		if (count == 2)
			assert_non_null(shape->message);
	}
	assert_int_equal(count, 9);
	assert_true(lanes[0] != lanes[3]);
	frec__otlp_spans_deinit(&spans);
	frec__timeline_deinit(&timeline);
	frec__input_close(&snapshot);
}

// Payloads are truncated at each byte, and each byte is changed. Nothing worse may happen than that
// a problem is reported.
static void test_damage(void **state)
{
	struct eh_payload *payloads = begin();
	uint8_t bytes[65536], *exact;
	size_t size;

	(void)state;
	eh_field(payloads, "many", FREC_EH_STRUCT | FREC_EH_VARIABLE_ARRAY, 2, 0);
	eh_field(payloads, "c", FREC_EH_VALUE16 | FREC_EH_FIXED_ARRAY, 0, 2);
	eh_field(payloads, "d", FREC_EH_ZSTRING16, 0, 0);
	eh_field(payloads, "e", FREC_EH_STRING32, 0, 0);
	eh_number(payloads, false, 1, 2);
	eh_bytes(payloads, "\1\0\2\0a\0\0\0\1\0b\0\0\0", 14);
	size = eh_finish(payloads, 1, 2, 3, (const uint8_t[32]){0}, 32, bytes);
	for (size_t i = 0; i < 2 * size; i++) {
		struct frec_snapshot snapshot;
		struct frec_events events;
		struct frec_error error;
		size_t length = i < size ? i : size;

		exact = malloc(length + 1);
		memcpy(exact, bytes, length);
		if (i >= size)
			exact[i - size] ^= 0xff;
		open_snapshot(&snapshot, (const uint8_t *const *)&exact, &length, 1);
		problems_of(&snapshot);
		assert_false(frec__events_init(&events, &snapshot, NULL, NULL, &error));
		while (frec__events_next(&events))
			;
		frec__events_deinit(&events);
		frec__input_close(&snapshot);
		free(exact);
	}
	// verify reports a payload that is too short. This one lacks 8 bytes, because the padding
	// of its record could hide that fewer are missing.
	payloads = begin();
	eh_field(payloads, "x", FREC_EH_VALUE64, 0, 0);
	size = eh_finish(payloads, 0, 0, 0, NULL, 0, bytes);
	for (int whole = 0; whole < 2; whole++) {
		struct frec_snapshot snapshot;
		const uint8_t *pointer = bytes;
		size_t length = size + (whole ? 8 : 0);

		open_snapshot(&snapshot, &pointer, &length, 1);
		assert_int_equal(problems_of(&snapshot), whole ? 0 : 1);
		frec__input_close(&snapshot);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),	  cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_wide_text), cmocka_unit_test(test_arrays),
		cmocka_unit_test(test_structs),	  cmocka_unit_test(test_header),
		cmocka_unit_test(test_sources),	  cmocka_unit_test(test_activities),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
