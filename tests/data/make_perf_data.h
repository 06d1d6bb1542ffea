/* SPDX-License-Identifier: MIT */
/* Small perf.data files, as perf could have written them, and some as it would not. */
#ifndef FREC_TESTS_MAKE_PERF_DATA_H
#define FREC_TESTS_MAKE_PERF_DATA_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct made_perf {
	uint8_t *data;
	size_t size, room;
};

struct perf_options {
	bool pipe;	 /* the form for pipes */
	bool compressed; /* records stand in others */
	bool padded;	 /* likewise, in those of later kernels */
	bool backward;	 /* newest first, as in a ring that is overwritten */
	bool id_behind;	 /* the number of the event stands where PERF_SAMPLE_ID has it */
	bool everything; /* samples have parts that nobody asks for */
	bool lost_samples;
	unsigned int events; /* on each of two CPUs */
};

/* Two tracepoints, test:alpha (u32 number, char text[8]) and user_events:shop__paid (u64 number),
 * and a process 42 "worker" that maps /bin/worker. Event n of CPU c is at 1000 + 10 * n + c; alpha
 * and paid take turns; numbers are n. 3 more are lost of alpha on CPU 1. */
void make_perf_data(struct made_perf *made, const struct perf_options *options);

#endif
