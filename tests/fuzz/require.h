/* SPDX-License-Identifier: MIT */
/* What a fuzz target insists on. */
#ifndef FREC_TESTS_FUZZ_REQUIRE_H
#define FREC_TESTS_FUZZ_REQUIRE_H

#include <stdio.h>
#include <stdlib.h>

#define require(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

#endif
