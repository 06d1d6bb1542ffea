// SPDX-License-Identifier: MIT
// Proves that each valid argument of -e is parsed, and that invalid ones are refused in one line.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "recorder/sources/selection.h"

static void good(const char *text, enum frec_selection_kind kind, const char *file,
		 const char *provider, const char *name, uint32_t strings)
{
	struct frec_selection selection;
	struct frec_error error = {0};

	if (frec__selection_parse(&selection, text, &error))
		fail_msg("%s: %s", text, error.message);
	assert_int_equal(frec__selection_kind(text), kind);
	assert_int_equal(selection.kind, kind);
	assert_string_equal(selection.text, text);
	assert_string_equal(selection.name, name);
	if (kind == FREC_SELECT_USDT) {
		assert_string_equal(selection.file, file);
		assert_string_equal(selection.provider, provider);
	}
	assert_int_equal(selection.strings, strings);
	frec__selection_deinit(&selection);
	assert_null(selection.text);
}

static void shapes(void **state)
{
	(void)state;
	good("shop:paid", FREC_SELECT_EVENT, NULL, NULL, "shop:paid", 0);
	good("*:*", FREC_SELECT_EVENT, NULL, NULL, "*:*", 0);
	good("sched:sched_[sw]*", FREC_SELECT_EVENT, NULL, NULL, "sched:sched_[sw]*", 0);
	good("usdts:x", FREC_SELECT_EVENT, NULL, NULL, "usdts:x", 0);
	good("tp_btf:sched_*", FREC_SELECT_RAW_TRACEPOINT, NULL, NULL, "sched_*", 0);
	good("usdt:postgres:postgresql:query__*", FREC_SELECT_USDT, "postgres", "postgresql",
	     "query__*", 0);
	good("usdt:/a[b/c d:*:?", FREC_SELECT_USDT, "/a[b/c d", "*", "?", 0);
	good("usdt:a:b:c:arg1=str[arg2]:arg23=str", FREC_SELECT_USDT, "a", "b", "c",
	     1 << 1 | 1 << 23);
	good("usdt:a:b:c:arg0=str:arg3=str:arg11=str:arg3=str", FREC_SELECT_USDT, "a", "b", "c",
	     0x809);
}

// Checks the stacks that the options of a selection choose.
static void chosen(const char *text, const char *name, struct frec_stack_choice expected)
{
	struct frec_selection selection;
	struct frec_error error = {0};

	if (frec__selection_parse(&selection, text, &error))
		fail_msg("%s: %s", text, error.message);
	assert_string_equal(selection.text, text);
	assert_string_equal(selection.name, name);
	assert_int_equal(selection.stack.is_set, expected.is_set);
	assert_int_equal(selection.stack.frame_pointers, expected.frame_pointers);
	assert_int_equal(selection.stack.kernel, expected.kernel);
	assert_int_equal(selection.stack.bytes, expected.bytes);
	frec__selection_deinit(&selection);
}

static void stacks(void **state)
{
	(void)state;
	chosen("shop:*", "shop:*", (struct frec_stack_choice){0});
	chosen("shop:*/stack=none/", "shop:*", (struct frec_stack_choice){.is_set = true});
	chosen("shop:*/stack=fp/", "shop:*",
	       (struct frec_stack_choice){.is_set = true, .frame_pointers = true});
	chosen("shop:*/stack=kernel/", "shop:*",
	       (struct frec_stack_choice){.is_set = true, .kernel = true});
	chosen("shop:*/stack=dwarf/", "shop:*",
	       (struct frec_stack_choice){.is_set = true, .bytes = 8192});
	chosen("shop:*/stack=dwarf,bytes=1/", "shop:*",
	       (struct frec_stack_choice){.is_set = true, .bytes = 8});
	chosen("shop:*/bytes=65521,stack=dwarf/", "shop:*",
	       (struct frec_stack_choice){.is_set = true, .bytes = 65528});
	chosen("tp_btf:sched_*/stack=fp+kernel/", "sched_*",
	       (struct frec_stack_choice){.is_set = true, .frame_pointers = true, .kernel = true});
	chosen("usdt:/usr/bin/x:shop:paid/stack=dwarf+kernel,bytes=4096/", "paid",
	       (struct frec_stack_choice){.is_set = true, .kernel = true, .bytes = 4096});
	chosen("usdt:x:shop:paid:arg0=str:arg1=str/stack=fp/", "paid",
	       (struct frec_stack_choice){.is_set = true, .frame_pointers = true});
	// These slashes belong to the path of the file.
	chosen("usdt:/a/stack=fp/:shop:paid", "paid", (struct frec_stack_choice){0});
}

static void check_list(const char *list, size_t count, const char *const *expected)
{
	char *copy = strdup(list), *rest = copy;

	for (size_t i = 0; i < count; i++) {
		assert_non_null(rest);
		assert_string_equal(frec__selection_next(&rest), expected[i]);
	}
	assert_null(rest);
	free(copy);
}
#define CHECK_LIST(list, ...) \
	check_list(list, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *), \
		   (const char *const[]){__VA_ARGS__})

static void lists(void **state)
{
	(void)state;
	CHECK_LIST("a:b", "a:b");
	CHECK_LIST("a:b,c:d", "a:b", "c:d");
	CHECK_LIST(",a:b,,c:d,", "", "a:b", "", "c:d", "");
	CHECK_LIST("a:b/stack=dwarf,bytes=8/,c:d/stack=fp/,e:f", "a:b/stack=dwarf,bytes=8/",
		   "c:d/stack=fp/", "e:f");
	CHECK_LIST("usdt:/x/y:a:b,usdt:/x:a:b/bytes=8,stack=dwarf/", "usdt:/x/y:a:b",
		   "usdt:/x:a:b/bytes=8,stack=dwarf/");
	// Unclosed options include the next selection, so that the error shows it.
	CHECK_LIST("a:b/stack=dwarf,c:d", "a:b/stack=dwarf,c:d");
	CHECK_LIST("a:b/,c:d/", "a:b/,c:d/");
}

static void refusals(void **state)
{
	static const char *const bad[] = {
		"",
		"shop",
		":x",
		"shop:",
		"shop:[a",
		"shop:a/stack/",
		"shop:a/",
		"shop:a//",
		"sh/op:a",
		"shop:a/stack=fp",
		"shop:a/stack=/",
		"shop:a/stack=fp+/",
		"shop:a/stack=+fp/",
		"shop:a/stack=lbr/",
		"shop:a/stack=none+fp/",
		"shop:a/stack=fp,stack=kernel/",
		"shop:a/stack=fp,/",
		"shop:a/stack=fp,bytes=8192/",
		"shop:a/bytes=8192/",
		"shop:a/stack=dwarf,bytes=/",
		"shop:a/stack=dwarf,bytes=0/",
		"shop:a/stack=dwarf,bytes=-8/",
		"shop:a/stack=dwarf,bytes= 8/",
		"shop:a/stack=dwarf,bytes=8k/",
		"shop:a/stack=dwarf,bytes=8,bytes=8/",
		"shop:a/stack=dwarf,bytes=65529/",
		"shop:a/stack=dwarf,bytes=99999999999999999999/",
		"shop:a/stack=dwarf/x",
		"shop:a/stack=fp:b/",
		"shop:/stack=fp/",
		"tp_btf:/stack=fp/",
		"tp_btf:a/stack=fp",
		"usdt:/a/stack=fp/",
		"usdt:a:b:/stack=fp/",
		"usdt:a:b:c/stack=fp",
		"usdt:a:b:c/stack=fp/:arg0=str",
		"usdt:",
		"usdt:a",
		"usdt:a:b",
		"usdt:a:b:",
		"usdt::b:c",
		"usdt:a::c",
		"usdt:a:b:c:",
		"usdt:a:b:c:arg0",
		"usdt:a:b:c:arg0=",
		"usdt:a:b:c:arg=str",
		"usdt:a:b:c:arg0=string",
		"usdt:a:b:c:arg-1=str",
		"usdt:a:b:c:arg 1=str",
		"usdt:a:b:c:arg24=str",
		"usdt:a:b:c:arg0=str[arg24]",
		"usdt:a:b:c:arg0=str[1]",
		"usdt:a:b:c:arg0=str[]",
		"usdt:a:b:c:arg0=str[arg1",
		"usdt:a:b:c:arg0=str[arg1]x",
		"usdt:a:b:c:arg0=st[arg1]",
		"usdt:a:b:c:arg4294967296=str",
		"usdt:a:b:c:arg99999999999999999999=str",
		"usdt:a:b:c:argo=str",
		"usdt:a:b:c:arg0=str:",
		"usdt:a:b[:c",
		"usdt:a:b:[c",
		"tp_btf:",
		"tp_btf:a:b",
		"tp_btf:[a",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct frec_selection selection;
		struct frec_error error = {0};

		if (frec__selection_parse(&selection, bad[i], &error) != -EINVAL)
			fail_msg("'%s' is accepted", bad[i]);
		assert_int_equal(error.code, -EINVAL);
		assert_int_equal(strncmp(error.message, "-e ", 3), 0);
		assert_null(strchr(error.message, '\n'));
		// A failed parse leaves nothing to free, and freeing the selection again does no
		// harm.
		frec__selection_deinit(&selection);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shapes),
		cmocka_unit_test(stacks),
		cmocka_unit_test(lists),
		cmocka_unit_test(refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
