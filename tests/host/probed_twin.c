// SPDX-License-Identifier: MIT
// Has a static variable and a function of the same names as probed.c.
#include <stdint.h>

#include "probed.h"

static volatile int32_t twin = 22;

static __attribute__((noinline)) void fire_twin(void)
{
	__asm__ volatile(SITE("0", "twin", "-4@twin(%%rip)") : : "m"(twin));
}

void fire_other_twins(void)
{
	fire_twin();
}
