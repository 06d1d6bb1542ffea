// SPDX-License-Identifier: MIT
// Proves that each shape of -e is taken apart as it is meant, and that what has no shape is refused in one line.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "recorder/selection.h"

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
	good("usdt:a:b:c:arg0=str:arg3=str:arg11=str:arg3=str", FREC_SELECT_USDT, "a", "b", "c",
	     0x809);
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
		"usdt:a:b:c:arg12=str",
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
			fail_msg("'%s' is taken for something", bad[i]);
		assert_int_equal(error.code, -EINVAL);
		assert_int_equal(strncmp(error.message, "-e ", 3), 0);
		assert_null(strchr(error.message, '\n'));
		// Nothing is left to give back, and giving it back does no harm.
		frec__selection_deinit(&selection);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shapes),
		cmocka_unit_test(refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
