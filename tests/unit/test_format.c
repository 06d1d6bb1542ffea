// SPDX-License-Identifier: MIT
// Proves that format files of tracefs are parsed: real ones of several kernels, the spellings of
// user_events, and hostile text.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "recorder/declared/format.h"

#define COMMON \
	"format:\n" \
	"\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n" \
	"\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n" \
	"\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n" \
	"\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"

#define KIND(kind) FLIGHTREC__FIELD_KIND__FIELD_##kind

struct expected {
	const char *name, *type;
	Flightrec__FieldKind kind;
	uint32_t offset, size, element_size;
	Flightrec__Locator locator;
};

static void expect(const char *text, bool ours, uint32_t id, const struct expected *expected,
		   size_t count)
{
	struct frec_format format;
	struct frec_error error = {0};

	if (frec__format_parse(&format, text, ours, &error))
		fail_msg("%s", error.message);
	assert_int_equal(format.id, id);
	assert_int_equal(format.count, count);
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(format.field[i].name, expected[i].name);
		assert_string_equal(format.field[i].type, expected[i].type);
		if (format.field[i].kind != expected[i].kind)
			fail_msg("%s is of kind %d", expected[i].name, format.field[i].kind);
		assert_int_equal(format.field[i].offset, expected[i].offset);
		assert_int_equal(format.field[i].size, expected[i].size);
		assert_int_equal(format.field[i].element_size, expected[i].element_size);
		assert_int_equal(format.field[i].locator, expected[i].locator);
		assert_ptr_equal(frec__format_find(&format, expected[i].name), &format.field[i]);
	}
	assert_null(frec__format_find(&format, "common_pid"));
	frec__format_deinit(&format);
}
#define EXPECT(text, ours, id, ...) \
	expect(text, ours, id, (const struct expected[]){__VA_ARGS__}, \
	       sizeof((const struct expected[]){__VA_ARGS__}) / sizeof(struct expected))

static const char sched_switch[] =
	"name: sched_switch\nID: 372\n" COMMON
	"\tfield:char prev_comm[16];\toffset:8;\tsize:16;\tsigned:0;\n"
	"\tfield:pid_t prev_pid;\toffset:24;\tsize:4;\tsigned:1;\n"
	"\tfield:int prev_prio;\toffset:28;\tsize:4;\tsigned:1;\n"
	"\tfield:long prev_state;\toffset:32;\tsize:8;\tsigned:1;\n"
	"\nprint fmt: \"prev_comm=%s\n\tfield:int not_a_field;\toffset:0;\tsize:4;\tsigned:0;\n\"";

static void kernel_tracepoints(void **state)
{
	(void)state;
	EXPECT(sched_switch, false, 372, {"prev_comm", "char[16]", KIND(CHARS), 8, 16, 1},
	       {"prev_pid", "pid_t", KIND(SIGNED), 24, 4},
	       {"prev_prio", "int", KIND(SIGNED), 28, 4},
	       {"prev_state", "long", KIND(SIGNED), 32, 8});
	// Expect types of many words, pointers, and arguments that take eight bytes each.
	EXPECT("name: sys_enter_openat\nID: 782\n" COMMON
	       "\tfield:int __syscall_nr;\toffset:8;\tsize:4;\tsigned:1;\n"
	       "\tfield:const char * filename;\toffset:24;\tsize:8;\tsigned:0;\n"
	       "\tfield:const struct iovec * vec;\toffset:32;\tsize:8;\tsigned:0;\n"
	       "\tfield:umode_t mode;\toffset:40;\tsize:8;\tsigned:0;\n"
	       "\tfield:unsigned long args[6];\toffset:48;\tsize:48;\tsigned:0;\n"
	       "\tfield:unsigned long rest[];\toffset:96;\tsize:0;\tsigned:0;\n",
	       false, 782, {"__syscall_nr", "int", KIND(SIGNED), 8, 4},
	       {"filename", "const char *", KIND(POINTER), 24, 8},
	       {"vec", "const struct iovec *", KIND(POINTER), 32, 8},
	       {"mode", "umode_t", KIND(UNSIGNED), 40, 8},
	       {"args", "unsigned long[6]", KIND(ARRAY), 48, 48, 8},
	       {"rest", "unsigned long[]", KIND(UNKNOWN), 96, 0});
	EXPECT("name: mixed\nID: 1\n" COMMON
	       "\tfield:__data_loc char[] name;\toffset:8;\tsize:4;\tsigned:0;\n"
	       "\tfield:__data_loc u64[] addrs;\toffset:12;\tsize:4;\tsigned:0;\n"
	       "\tfield:__data_loc cpumask_t cpumask;\toffset:16;\tsize:4;\tsigned:0;\n"
	       "\tfield:bool online;\toffset:20;\tsize:1;\tsigned:0;\n"
	       "\tfield:unsigned char one;\toffset:21;\tsize:1;\tsigned:0;\n"
	       "\tfield:u8 fsid[16];\toffset:22;\tsize:16;\tsigned:0;\n"
	       "\tfield:long mem[3];\toffset:40;\tsize:24;\tsigned:1;\n"
	       "\tfield:char * names[2];\toffset:64;\tsize:16;\tsigned:0;\n"
	       "\tfield:struct two pair[4];\toffset:80;\tsize:16;\tsigned:0;\n"
	       "\tfield:const __u32 flags;\toffset:96;\tsize:4;\tsigned:0;\n"
	       "\tfield:char text[(32 + 1)];\toffset:100;\tsize:33;\tsigned:0;\n"
	       "\tfield:u16 odd[sizeof(int[2])];\toffset:134;\tsize:16;\tsigned:0;\n"
	       "\tfield:enum zone_type idx;\toffset:152;\tsize:4;\tsigned:0;\n"
	       "\tfield:struct in6_addr addr;\toffset:160;\tsize:16;\tsigned:0;\n"
	       "\tfield:struct double d;\toffset:176;\tsize:8;\tsigned:0;\n"
	       "\tfield:__data_loc unsigned int[] parts;\toffset:184;\tsize:4;\tsigned:0;\n"
	       "\tfield:__rel_loc long[] delays;\toffset:188;\tsize:4;\tsigned:1;\n"
	       "\tfield:__data_loc u8[] packet;\toffset:192;\tsize:4;\tsigned:0;\n"
	       "\tfield:__data_loc struct two[] twos;\toffset:196;\tsize:4;\tsigned:0;\n",
	       false, 1, {"name", "__data_loc char[]", KIND(STRING), 8, 4, 0, 1},
	       {"addrs", "__data_loc u64[]", KIND(ARRAY), 12, 4, 8, 1},
	       {"cpumask", "__data_loc cpumask_t", KIND(BYTES), 16, 4, 0, 1},
	       {"online", "bool", KIND(BOOL), 20, 1},
	       {"one", "unsigned char", KIND(UNSIGNED), 21, 1},
	       {"fsid", "u8[16]", KIND(ARRAY), 22, 16, 1},
	       {"mem", "long[3]", KIND(ARRAY), 40, 24, 8},
	       {"names", "char *[2]", KIND(ARRAY), 64, 16, 8},
	       {"pair", "struct two[4]", KIND(UNKNOWN), 80, 16},
	       {"flags", "const __u32", KIND(UNSIGNED), 96, 4},
	       {"text", "char[(32 + 1)]", KIND(CHARS), 100, 33, 1},
	       {"odd", "u16[sizeof(int[2])]", KIND(UNKNOWN), 134, 16},
	       {"idx", "enum zone_type", KIND(UNSIGNED), 152, 4},
	       {"addr", "struct in6_addr", KIND(UNKNOWN), 160, 16},
	       {"d", "struct double", KIND(UNKNOWN), 176, 8},
	       {"parts", "__data_loc unsigned int[]", KIND(ARRAY), 184, 4, 4, 1},
	       {"delays", "__rel_loc long[]", KIND(ARRAY), 188, 4, 8, 2},
	       {"packet", "__data_loc u8[]", KIND(BYTES), 192, 4, 0, 1},
	       {"twos", "__data_loc struct two[]", KIND(BYTES), 196, 4, 0, 1});
}

static void user_events(void **state)
{
	static const char text[] =
		"name: shop__paid\nID: 1999\n" COMMON
		"\tfield:u64 id;\toffset:8;\tsize:8;\tsigned:0;\n"
		"\tfield:__rel_loc char text[-2131];\toffset:16;\tsize:4;\tsigned:1;\n"
		"\tfield:__rel_loc u8[] raw;\toffset:20;\tsize:4;\tsigned:1;\n"
		"\tfield:char[16] tag;\toffset:24;\tsize:16;\tsigned:0;\n"
		"\tfield:unsigned char on;\toffset:40;\tsize:1;\tsigned:0;\n"
		"\tfield:struct double ratio;\toffset:41;\tsize:8;\tsigned:0;\n"
		"\tfield:struct float part;\toffset:49;\tsize:4;\tsigned:0;\n";

	(void)state;
	EXPECT(text, true, 1999, {"id", "u64", KIND(UNSIGNED), 8, 8},
	       {"text", "__rel_loc char[-2131]", KIND(STRING), 16, 4, 0, 2},
	       {"raw", "__rel_loc u8[]", KIND(BYTES), 20, 4, 0, 2},
	       {"tag", "char[16]", KIND(CHARS), 24, 16, 1},
	       {"on", "unsigned char", KIND(BOOL), 40, 1},
	       {"ratio", "struct double", KIND(FLOAT), 41, 8},
	       {"part", "struct float", KIND(FLOAT), 49, 4});
	// An event without fields is valid.
	expect("name: shop__none\nID: 7\n" COMMON "\nprint fmt: \"\"\n", true, 7, NULL, 0);
}

static void malformed_texts_are_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"name: x\n",
		COMMON,
		"ID: 1\n\tfield:int;\toffset:8;\tsize:4;\tsigned:0;\n",
		"ID: 1\n\tfield:;\toffset:8;\tsize:4;\tsigned:0;\n",
		"ID: 1\n\tfield:int x;\toffset:8;\tsize:4;\n",
		"ID: 1\n\tfield:int x\toffset:8\n",
		"ID: 1\n\tfield:int x];\toffset:8;\tsize:4;\tsigned:0;\n",
		"ID: 1\n\tfield:[4];\toffset:8;\tsize:4;\tsigned:0;\n",
		"ID: 1\n\tfield:int [4];\toffset:8;\tsize:4;\tsigned:0;\n",
		"ID: 1\n\tfield:int x;\toffset:70000;\tsize:4;\tsigned:0;\n",
		"ID: 1\n\tfield:int x;\toffset:-8;\tsize:4;\tsigned:0;\n",
		"ID: 1\n\tfield:int x;\toffset:8;\tsize:70000;\tsigned:0;\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct frec_format format;
		struct frec_error error = {0};

		if (frec__format_parse(&format, texts[i], true, &error) != -EBADMSG)
			fail_msg("accepted: %s", texts[i]);
		assert_int_equal(error.code, -EBADMSG);
		assert_null(format.field);
	}
}

static void too_many_fields(void **state)
{
	static char text[FREC_FIELDS_MAX * 64 + 128] = "ID: 1\n";
	struct frec_format format;

	(void)state;
	for (int i = 0; i <= FREC_FIELDS_MAX; i++) {
		size_t at = strlen(text);

		assert_int_equal(frec__format_parse(&format, text, true, NULL), 0);
		assert_int_equal(format.count, i);
		frec__format_deinit(&format);
		snprintf(text + at, sizeof(text) - at,
			 "\tfield:u8 f%d;\toffset:8;\tsize:1;\tsigned:0;\n", i);
	}
	assert_int_equal(frec__format_parse(&format, text, true, NULL), -EBADMSG);
}

// The sanitizers check these reads. Any format that was parsed without an error must be usable.
static void any_cut_and_any_changed_byte(void **state)
{
	char copy[sizeof(sched_switch)];

	(void)state;
	for (size_t at = 0; at < sizeof(copy) - 1; at++) {
		for (int change = 0; change < 6; change++) {
			struct frec_format format;

			memcpy(copy, sched_switch, sizeof(copy));
			copy[at] = "\0;[] \xff"[change];
			if (frec__format_parse(&format, copy, true, NULL))
				continue;
			for (size_t i = 0; i < format.count; i++) {
				assert_true(*format.field[i].name);
				assert_non_null(format.field[i].type);
			}
			frec__format_deinit(&format);
		}
	}
}

static void values(void **state)
{
	const uint8_t payload[] = {1, 2, 3, 0xfe, 0xff, 0xff, 0xff, 0xff};
	const struct frec_field s16 = {.kind = KIND(SIGNED), .offset = 3, .size = 2},
				u16 = {.kind = KIND(UNSIGNED), .offset = 3, .size = 2},
				s64 = {.kind = KIND(SIGNED), .offset = 0, .size = 8},
				beyond = {.kind = KIND(SIGNED), .offset = 5, .size = 4},
				wide = {.kind = KIND(CHARS), .offset = 0, .size = 16},
				none = {.kind = KIND(SIGNED), .offset = 0, .size = 0};

	(void)state;
	assert_int_equal((int64_t)frec__field_value(&s16, payload, sizeof(payload)), -2);
	assert_int_equal(frec__field_value(&u16, payload, sizeof(payload)), 0xfffe);
	assert_true(frec__field_value(&s64, payload, sizeof(payload)) == 0xfffffffffe030201);
	assert_int_equal(frec__field_value(&beyond, payload, sizeof(payload)), 0);
	assert_int_equal(frec__field_value(&wide, payload, sizeof(payload)), 0);
	assert_int_equal(frec__field_value(&none, payload, sizeof(payload)), 0);
	assert_int_equal(frec__field_value(NULL, payload, sizeof(payload)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_tracepoints),		cmocka_unit_test(user_events),
		cmocka_unit_test(malformed_texts_are_refused),	cmocka_unit_test(too_many_fields),
		cmocka_unit_test(any_cut_and_any_changed_byte), cmocka_unit_test(values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
