// SPDX-License-Identifier: MIT
// Reading the kernel's clocks.
#include "proto/clocks.h"

#include <limits.h>
#include <time.h>

static int64_t monotonic_ahead, boottime_ahead;

void frec__clocks_set_ahead(int64_t monotonic, int64_t boottime)
{
	monotonic_ahead = monotonic;
	boottime_ahead = boottime;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t frec__monotonic(void)
{
	return clock_ns(CLOCK_MONOTONIC) - (uint64_t)monotonic_ahead;
}

int frec__milliseconds_until(uint64_t time)
{
	uint64_t now = frec__monotonic();
	uint64_t left = time > now ? (time - now) / 1000000 + 1 : 0;

	return left < INT_MAX ? (int)left : INT_MAX;
}

int64_t frec__clocks_epoch(void)
{
	uint64_t before, realtime;
	int attempts = 3;

	do { // read again if the coarse clocks advanced between the readings
		before = clock_ns(CLOCK_MONOTONIC_COARSE);
		realtime = clock_ns(CLOCK_REALTIME_COARSE);
	} while (clock_ns(CLOCK_MONOTONIC_COARSE) != before && --attempts);
	return (int64_t)(realtime - before) + monotonic_ahead;
}

void frec__clocks_read(struct frec_clocks *ret)
{
	// If the thread is preempted between the readings, they are far apart in time, so the
	// fastest of several attempts is used.
	ret->uncertainty = UINT64_MAX;
	for (int attempt = 0; attempt < 5; attempt++) {
		uint64_t before = frec__monotonic();
		uint64_t boottime = clock_ns(CLOCK_BOOTTIME) - (uint64_t)boottime_ahead;
		uint64_t realtime = clock_ns(CLOCK_REALTIME);
		uint64_t after = frec__monotonic();

		if (after - before < ret->uncertainty)
			*ret = (struct frec_clocks){.monotonic = before + (after - before) / 2,
						    .boottime = boottime,
						    .realtime = realtime,
						    .uncertainty = after - before};
	}
}
