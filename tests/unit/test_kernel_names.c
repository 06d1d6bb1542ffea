// SPDX-License-Identifier: MIT
// Proves that kernel addresses in call chains get the names of the functions that contain them, and
// no others.
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <linux/perf_event.h>
#include <string.h>

#include "recorder/snapshot/kernel_names.h"

#define KERNEL ((uint64_t)PERF_CONTEXT_KERNEL)
#define USER ((uint64_t)PERF_CONTEXT_USER)

// Modules are listed after the kernel, whatever their addresses are.
static const char kallsyms[] = "ffffffff81000000 T _stext\n"
			       "ffffffff81000000 T first_of_two_names\n"
			       "ffffffff81000100 t second\n"
			       "ffffffff81000180 D data_is_no_code\n"
			       "ffffffff81000200 W third\n"
			       "ffffffff81000300 T last\n"
			       "0000000000000000 A percpu\n"
			       "not a line\n"
			       "ffffffffc0000000 t in_module\t[fs]\n"
			       "ffffffffa0000000 t lower_module\t[net]\n";

static struct frec_kernel_names names;
static Flightrec__KernelSymbols found;
static int turns;

static void turn(void *context)
{
	(*(int *)context)++;
}

static int find(const char *text)
{
	FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	int r = frec__kernel_names_find(&names, file, turn, &turns, &found);

	fclose(file);
	return r;
}

static void is(size_t at, uint64_t address, const char *name, const char *module)
{
	assert_true(at < found.n_symbol);
	assert_int_equal(found.symbol[at]->address, address);
	assert_string_equal(found.symbol[at]->name, name);
	assert_string_equal(found.symbol[at]->module, module);
}

static void note(const uint64_t *chain, size_t count)
{
	// The addresses are at an odd place, because records need not be aligned.
	uint8_t bytes[1 + 8 * 16];

	memcpy(bytes + 1, chain, 8 * count);
	frec__kernel_names_add(&names, bytes + 1, count);
}

static void functions(void **state)
{
	const uint64_t chain[] = {KERNEL,
				  0xffffffff81000190,
				  0xffffffff81000200,
				  0xffffffff81000310,
				  0xffffffffc0000010,
				  0xffffffffa0000001,
				  USER,
				  0xffffffff81000001,
				  0x5555};
	const uint64_t user_alone[] = {USER, 0xffffffff81000001};

	(void)state;
	note(chain, sizeof(chain) / 8);
	note(chain, sizeof(chain) / 8); // the same ones again
	note(user_alone, 2);
	assert_int_equal(find(kallsyms), 0);
	assert_int_equal(found.n_symbol, 4);
	// The second address of the chain is a return address, so the caller is the function before
	// it.
	is(0, 0xffffffff81000100, "second", "");
	is(1, 0xffffffff81000300, "last", "");
	is(2, 0xffffffffa0000000, "lower_module", "net");
	is(3, 0xffffffffc0000000, "in_module", "fs");
	frec__kernel_names_free(&found);
	frec__kernel_names_deinit(&names);
}

static void addresses_without_a_name(void **state)
{
	const uint64_t below[] = {KERNEL, 0xffffffff80000000},
		       made[] = {KERNEL, 0xffffffff82000000},
		       first[] = {KERNEL, 0xffffffff81000000};

	(void)state;
	note(below, 2);
	note(made, 2);
	note(first, 2);
	assert_int_equal(find(kallsyms), 0);
	assert_int_equal(found.n_symbol, 3);
	is(0, 0xffffffff80000000, "", "");
	is(1, 0xffffffff81000000, "_stext", "");
	is(2, 0xffffffff82000000, "", ""); // far above the last function
	frec__kernel_names_free(&found);
	frec__kernel_names_deinit(&names);
}

static void nothing_to_look_up(void **state)
{
	const uint64_t one[] = {KERNEL, 0xffffffff81000000};

	(void)state;
	assert_int_equal(find(kallsyms), -ENODATA);
	note(one, 2);
	assert_int_equal(find("0000000000000000 T hidden\n0000000000000000 T from_us\n"), -ENODATA);
	frec__kernel_names_deinit(&names);
}

static void many_are_bounded(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 3 * FREC_KERNEL_ADDRESSES_MAX; i++) {
		const uint64_t one[] = {KERNEL, 0xffffffff81000000 + i * 16};

		note(one, 2);
	}
	assert_int_equal(names.address.count, FREC_KERNEL_ADDRESSES_MAX);
	assert_int_equal(find(kallsyms), 0);
	frec__kernel_names_free(&found);
	frec__kernel_names_deinit(&names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions),
		cmocka_unit_test(addresses_without_a_name),
		cmocka_unit_test(nothing_to_look_up),
		cmocka_unit_test(many_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
