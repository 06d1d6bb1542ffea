// SPDX-License-Identifier: MIT
// Proves that a selection finds events under the names that people use, and no other events. The
// tree of folders is like that of tracefs.
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "proto/read_file.h"
#include "recorder/declared/catalog.h"

static char root[] = "/tmp/frec-catalog-XXXXXX";
static int tracefs;

static const char *const folders[] = {
	"events",
	"events/sched",
	"events/sched/sched_switch",
	"events/sched/sched_wakeup",
	"events/shop",
	"events/shop/kernel_one",
	"events/user_events",
	"events/user_events/shop__paid",
	"events/user_events/shop__sent",
	"events/user_events/plain",
	"events/user_events/__odd",
	"events/user_events/tail__",
	"events/user_events/a__b__c",
	"events/user_events_multi",
	"events/user_events_multi/shop__paid.1",
	"events/user_events_multi/plain.2a",
};

static int setup(void **state)
{
	char path[200];

	(void)state;
	if (!mkdtemp(root))
		return -1;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", root, folders[i]);
		if (mkdir(path, 0700))
			return -1;
	}
	// A file next to the events' folders is not an event.
	snprintf(path, sizeof(path), "%s/events/sched/enable", root);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	tracefs = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return tracefs < 0;
}

static int teardown(void **state)
{
	char command[100];

	(void)state;
	close(tracefs);
	snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command);
}

static char names[64][1600];
static size_t count;

static int record_name(void *context, const struct frec_listed *listed)
{
	(void)context;
	snprintf(names[count++], sizeof(names[0]), "%s:%s %s/%s %s", listed->system, listed->name,
		 listed->group, listed->kernel_name,
		 listed->kind == FLIGHTREC__SOURCE_KIND__SOURCE_EVENT	     ? "event"
		 : listed->kind == FLIGHTREC__SOURCE_KIND__SOURCE_USER_EVENT ? "foreign"
									     : "kernel");
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void expect(const char *selection, const char *const *expected)
{
	size_t n = 0;

	count = 0;
	assert_int_equal(frec__catalog_walk(tracefs, selection, record_name, NULL), 0);
	qsort(names, count, sizeof(names[0]), compare);
	for (; expected[n]; n++) {
		assert_true(n < count);
		assert_string_equal(names[n], expected[n]);
	}
	assert_int_equal(count, n);
}
#define EXPECT(selection, ...) \
	expect(selection, (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void selections(void **state)
{
	(void)state;
	EXPECT("sched:sched_switch", "sched:sched_switch sched/sched_switch kernel");
	EXPECT("sched:*", "sched:sched_switch sched/sched_switch kernel",
	       "sched:sched_wakeup sched/sched_wakeup kernel");
	EXPECT("shop:paid", "shop:paid user_events/shop__paid event",
	       "shop:paid user_events_multi/shop__paid.1 event");
	// The kernel and programs can use the same system name, so the events of both match.
	EXPECT("shop:*", "shop:kernel_one shop/kernel_one kernel",
	       "shop:paid user_events/shop__paid event",
	       "shop:paid user_events_multi/shop__paid.1 event",
	       "shop:sent user_events/shop__sent event");
	EXPECT("user_events:*", "user_events:__odd user_events/__odd foreign",
	       "user_events:plain user_events/plain foreign",
	       "user_events:plain user_events_multi/plain.2a foreign",
	       "user_events:tail__ user_events/tail__ foreign");
	// A glob for the system never matches kernel tracepoints.
	EXPECT("*:*", "a:b__c user_events/a__b__c event", "shop:paid user_events/shop__paid event",
	       "shop:paid user_events_multi/shop__paid.1 event",
	       "shop:sent user_events/shop__sent event",
	       "user_events:__odd user_events/__odd foreign",
	       "user_events:plain user_events/plain foreign",
	       "user_events:plain user_events_multi/plain.2a foreign",
	       "user_events:tail__ user_events/tail__ foreign");
	EXPECT("sche[d]:*");
	EXPECT("s*:*switch");
	EXPECT("s[h]op:se?t", "shop:sent user_events/shop__sent event");
	EXPECT("a:b__c", "a:b__c user_events/a__b__c event");
	EXPECT("nobody:*");
	EXPECT("../events/sched:*");
	EXPECT("..:*");
	EXPECT(".:*");
}

static int stop(void *context, const struct frec_listed *listed)
{
	(void)listed;
	return ++*(int *)context == 2 ? 42 : 0;
}

static void a_walk_can_be_ended(void **state)
{
	int calls = 0;

	(void)state;
	assert_int_equal(frec__catalog_walk(tracefs, "*:*", stop, &calls), 42);
	assert_int_equal(calls, 2);
}

static void checks(void **state)
{
	static const struct {
		const char *selection;
		int result;
	} cases[] = {
		{"sched:sched_switch", 0},
		{"sched:sched_swich", -ENOENT},
		{"sched:*", 0},
		{"sched:x*", -ENOENT},
		{"shop:later", -ENOENT},
		{"nobody:later", 0},
		{"*:*", 0},
		{"user_events:anything", 0},
	};
	char longest[1000];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct frec_error error = {0};

		if (frec__catalog_check(tracefs, cases[i].selection, &error) != cases[i].result)
			fail_msg("%s: %s", cases[i].selection, error.message);
		assert_int_equal(error.code, cases[i].result);
		assert_null(strchr(error.message, '\n'));
	}
	memset(longest, 'x', sizeof(longest));
	longest[999] = 0;
	longest[500] = ':';
	assert_int_equal(frec__catalog_check(tracefs, longest, NULL), 0);
}

static void small_files(void **state)
{
	char *text = frec__read_file_at(tracefs, "events/sched/enable", 100);

	(void)state;
	assert_string_equal(text, "");
	free(text);
	errno = 0;
	assert_null(frec__read_file_at(tracefs, "events/none", 100));
	assert_int_equal(errno, ENOENT);
	assert_null(frec__read_file_at(tracefs, "events", 100));
	assert_int_equal(errno, EISDIR);
	text = frec__read_file_at(AT_FDCWD, "/proc/self/maps", 1 << 20);
	assert_non_null(strstr(text, "test_catalog"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(selections),
		cmocka_unit_test(a_walk_can_be_ended),
		cmocka_unit_test(checks),
		cmocka_unit_test(small_files),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
