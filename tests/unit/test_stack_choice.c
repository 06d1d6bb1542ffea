// SPDX-License-Identifier: MIT
// Proves which of several selections determines an event's stacks, how each choice sets up a perf
// event, and which rings are too small for it.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "recorder/selections.h"
#include "recorder/sources/source.h"
#include "recorder/rings/registers.h"

#define CHAIN PERF_SAMPLE_CALLCHAIN
#define STACK (PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER)

static void check(struct frec_stack_choice choice, uint64_t sample_type, bool no_user,
		  bool no_kernel)
{
	struct frec_source source = {.sample_type = FREC_SAMPLE_TYPE | PERF_SAMPLE_RAW};
	struct perf_event_attr attr = {0};

	frec__source_set_stack(&source, &choice);
	frec__stack_attr(&source.stack, &attr);
	assert_int_equal(source.sample_type, FREC_SAMPLE_TYPE | PERF_SAMPLE_RAW | sample_type);
	assert_int_equal(frec__stack_any(&choice), sample_type != 0);
	assert_int_equal(attr.exclude_callchain_user, no_user);
	assert_int_equal(attr.exclude_callchain_kernel, no_kernel);
	assert_int_equal(attr.sample_stack_user, choice.bytes);
	assert_int_equal(attr.sample_regs_user, choice.bytes ? frec__perf_user_registers : 0);
	// A snapshot describes the records in the way in which perf was set up to write them.
	assert_int_equal(source.sample_regs_user, attr.sample_regs_user);
	// The largest record has room for payload and stacks, up to the limit of perf.
	assert_true(frec__source_largest(&source) >= 8192 + frec__stack_size(&choice) ||
		    frec__source_largest(&source) == UINT16_MAX);
	assert_true(frec__source_largest(&source) <= UINT16_MAX);
}

static void perf_is_set_up(void **state)
{
	(void)state;
	check((struct frec_stack_choice){0}, 0, false, false);
	check((struct frec_stack_choice){.frame_pointers = true}, CHAIN, false, true);
	check((struct frec_stack_choice){.kernel = true}, CHAIN, true, false);
	check((struct frec_stack_choice){.frame_pointers = true, .kernel = true}, CHAIN, false,
	      false);
	check((struct frec_stack_choice){.bytes = 8192}, STACK, false, false);
	check((struct frec_stack_choice){.bytes = 65528}, STACK, false, false);
	check((struct frec_stack_choice){.kernel = true, .bytes = 512}, CHAIN | STACK, true, false);
}

static struct frec_listed listed(Flightrec__SourceKind kind, const char *system, const char *name)
{
	struct frec_listed listed = {.kind = kind};

	strcpy(listed.system, system);
	strcpy(listed.name, name);
	return listed;
}

static void the_last_that_chooses_counts(void **state)
{
	static const char *const texts[] = {
		"shop:*/stack=fp/",
		"shop:paid/stack=dwarf,bytes=4096/",
		"shop:p*",
		"shop:gone/stack=none/",
		"sched:sched_switch/stack=kernel/",
		"*:late/stack=kernel/",
		"tp_btf:paid/stack=fp+kernel/",
	};
	struct frec_selections selections = {.stack = {.bytes = 16}};
	struct frec_listed paid = listed(FLIGHTREC__SOURCE_KIND__SOURCE_EVENT, "shop", "paid"),
			   sent = listed(FLIGHTREC__SOURCE_KIND__SOURCE_EVENT, "shop", "sent"),
			   gone = listed(FLIGHTREC__SOURCE_KIND__SOURCE_EVENT, "shop", "gone"),
			   other = listed(FLIGHTREC__SOURCE_KIND__SOURCE_EVENT, "ship", "paid"),
			   late = listed(FLIGHTREC__SOURCE_KIND__SOURCE_EVENT, "shop", "late"),
			   late_in_kernel = listed(FLIGHTREC__SOURCE_KIND__SOURCE_TRACEPOINT,
						   "sched", "late"),
			   switches = listed(FLIGHTREC__SOURCE_KIND__SOURCE_TRACEPOINT, "sched",
					     "sched_switch");

	(void)state;
	selections.count = sizeof(texts) / sizeof(texts[0]);
	selections.selection = calloc(selections.count, sizeof(*selections.selection));
	for (size_t i = 0; i < selections.count; i++)
		assert_int_equal(frec__selection_parse(&selections.selection[i], texts[i], NULL),
				 0);
	assert_int_equal(frec__selections_stack(&selections, &paid)->bytes, 4096);
	assert_false(frec__selections_stack(&selections, &paid)->frame_pointers);
	assert_true(frec__selections_stack(&selections, &sent)->frame_pointers);
	assert_false(frec__stack_any(frec__selections_stack(&selections, &gone)));
	assert_int_equal(frec__selections_stack(&selections, &other)->bytes, 16);
	assert_true(frec__selections_stack(&selections, &late)->kernel);
	assert_true(frec__selections_stack(&selections, &switches)->kernel);
	// A glob over systems matches no kernel tracepoint.
	assert_int_equal(frec__selections_stack(&selections, &late_in_kernel)->bytes, 16);
	for (size_t i = 0; i < selections.count; i++)
		frec__selection_deinit(&selections.selection[i]);
	free(selections.selection);
}

static void rings(void **state)
{
	static const struct {
		uint32_t bytes;
		uint64_t ring;
		const char *use;
	} cases[] = {
		{0, 64 << 10, NULL},
		{4096, 64 << 10, NULL},
		{8192, 64 << 10, "--ring-size 128K"},
		{8192, 128 << 10, NULL},
		{65528, 64 << 10, "--ring-size 1024K"},
		{65528, 512 << 10, "--ring-size 1024K"},
		{65528, 1 << 20, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct frec_stack_choice choice = {.bytes = cases[i].bytes};
		struct frec_error error = {.message = ""};
		int r = frec__stack_check_ring(&choice, cases[i].ring, "-e shop:*", &error);

		assert_int_equal(r, cases[i].use ? -EINVAL : 0);
		if (cases[i].use && (!strstr(error.message, cases[i].use) ||
				     strncmp(error.message, "-e shop:*: ", 11)))
			fail_msg("%u in %llu: %s", cases[i].bytes,
				 (unsigned long long)cases[i].ring, error.message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(perf_is_set_up),
		cmocka_unit_test(the_last_that_chooses_counts),
		cmocka_unit_test(rings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
