/* SPDX-License-Identifier: MIT */
/*
 * Measures the cost of the event of bench_emit.c with LTTng-UST. The event is enabled if
 * tests/bench/bench-emit has created a session for it.
 *
 *	bench_lttng on|off THREADS TIMES
 */
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "tests/bench/bench_lttng_events.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/bench_loop.h"

static void emit(uint64_t i)
{
	lttng_ust_tracepoint(bench, order, i, BENCH_PATH, 200, 12.5);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	/* Waits until the session has enabled the event, which a thread of the library registers
	 * with the session daemon; both may be slow. */
	for (int i = 0; !lttng_ust_tracepoint_enabled(bench, order) && !strcmp(argv[1], "on");
	     i++) {
		if (i == 500) {
			fprintf(stderr, "bench_lttng: no session has enabled bench:order\n");
			return 1;
		}
		usleep(10000);
	}
	return bench(emit, (unsigned int)atoi(argv[2]), strtoull(argv[3], NULL, 10));
}
