// SPDX-License-Identifier: MIT
// Proves that mangled names of C++ and of Rust, old and new ones, are demangled, and that all other
// names stay as they are.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unwind/demangle.h"

static void expect(const char *mangled, const char *wanted)
{
	char *name = frec__demangle(mangled);

	assert_non_null(name);
	assert_string_equal(name, wanted);
	free(name);
}

static void names(void **state)
{
	(void)state;
	expect("main", "main");
	expect("", "");
	expect("memcpy@@GLIBC_2.14", "memcpy");
	expect("_ZN4shop8checkoutERKiPS0_", "shop::checkout(int const&, int const*)");
	expect("_ZNSt6vectorIiSaIiEE9push_backEOi",
	       "std::vector<int, std::allocator<int> >::push_back(int&&)");
	expect("_ZN5shop8checkout17h0123456789abcdefE", "_ZN5shop8checkout17h0123456789abcdefE");
	expect("_ZN4shop8checkout17h0123456789abcdefE", "shop::checkout");
	expect("_ZN4core3ptr85drop_in_place$LT$std..rt..lang_start$LT$$LP$$RP$$GT$..$u7b$$u7b$"
	       "closure$u7d$$u7d$$GT$17h0123456789abcdefE",
	       "core::ptr::drop_in_place<std::rt::lang_start<()>::{{closure}}>");
	expect("_RNvCs1234_7mycrate3foo", "mycrate::foo");
	expect("_RNvMNtCs4fqI2P2rA04_7inlined4shopINtB2_6BasketlE5total",
	       "<inlined::shop::Basket<i32>>::total");
	expect("_RINvNtC3std3mem8align_ofjdE", "std::mem::align_of::<usize, f64>");
	expect("_RNCNvC7mycrate4main0", "mycrate::main::{closure#0}");
	expect("_R", "_R");
	expect("_RNvC", "_RNvC");
	expect("_Z", "_Z");
}

// Each level of the name refers twice to the level before.
static void names_that_explode(void **state)
{
	char mangled[4096] = "_Z1fIiE";
	size_t length = strlen(mangled);
	char *name;

	(void)state;
	for (int i = 0; i < 60; i++)
		length += (size_t)snprintf(mangled + length, sizeof(mangled) - length,
					   "PFvS%c_S%c_E", i < 10 ? '0' + i : 'A' + i % 26,
					   i < 10 ? '0' + i : 'A' + i % 26);
	name = frec__demangle(mangled);
	assert_non_null(name);
	assert_true(strlen(name) < 65536);
	free(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(names_that_explode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
