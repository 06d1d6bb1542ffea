// SPDX-License-Identifier: MIT
// Proves which transport a recorder takes if it may take any, and which reason it reports.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "recorder/sources/transport.h"

struct choice {
	struct frec_transport_facts facts;
	enum frec_transport taken;
	const char *why; /* a part of the reason that is reported */
};

static const struct choice choices[] = {
	// user_events win, whatever the other facts are.
	{{.user_events = true, .kernel = true}, FREC_TRANSPORT_USER_EVENTS, "has user_events"},
	{{.user_events = true,
	  .kernel = true,
	  .whole_machine = true,
	  .memory_taken = true,
	  .stacks = "shop:*"},
	 FREC_TRANSPORT_USER_EVENTS,
	 "has user_events"},
	// Some stacks only services can take, and only of programs that can be handed memory.
	{{.user_events = true, .kernel = true, .stacks = "a:*", .self = "pay:*/stack=self/"},
	 FREC_TRANSPORT_SHM,
	 "-e pay:*/stack=self/"},
	{{.kernel = true, .whole_machine = true, .self = "a:*"},
	 FREC_TRANSPORT_USDT,
	 "whole machine"},
	// Without rights, only shared memory works.
	{{.memory_taken = true, .stacks = "shop:*"}, FREC_TRANSPORT_SHM, "no right"},
	{{.whole_machine = true}, FREC_TRANSPORT_SHM, "no right"},
	// With rights, shared memory is chosen as well, unless something needs breakpoints.
	{{.kernel = true}, FREC_TRANSPORT_SHM, "less than breakpoints"},
	{{.kernel = true, .whole_machine = true}, FREC_TRANSPORT_USDT, "whole machine"},
	{{.kernel = true, .stacks = "pay:*/stack=fp/"}, FREC_TRANSPORT_USDT, "-e pay:*/stack=fp/"},
	{{.kernel = true, .memory_taken = true}, FREC_TRANSPORT_USDT, "another recorder"},
};

static void chooses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		char why[400] = "";

		assert_int_equal(frec__transport_choose(&choices[i].facts, why, sizeof(why)),
				 choices[i].taken);
		if (!strstr(why, choices[i].why) || strchr(why, '\n') ||
		    why[strlen(why) - 1] == '.')
			fail_msg("choice %zu says: %s", i, why);
	}
}

static void is_cut(void **state)
{
	const struct frec_transport_facts facts = {.user_events = true, .kernel = true};
	char why[8] = "1234567";

	(void)state;
	assert_int_equal(frec__transport_choose(&facts, why, 4), FREC_TRANSPORT_USER_EVENTS);
	assert_string_equal(why, "the");
	assert_memory_equal(why + 4, "567", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chooses),
		cmocka_unit_test(is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
