/* SPDX-License-Identifier: MIT */
/* Makes small perf.data files: some that perf could have written, and some that it would not. */
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
	bool pipe;	 /* the format that perf writes to a pipe */
	bool compressed; /* records are in PERF_RECORD_COMPRESSED */
	bool padded;	 /* records are in PERF_RECORD_COMPRESSED2, which is padded */
	bool backward;	 /* newest first, as in a ring that is overwritten */
	bool id_behind;	 /* the event's id is where PERF_SAMPLE_ID puts it */
	bool everything; /* samples have all parts, most of which import ignores */
	bool lost_samples;
	/* with `everything`: counters of branches, a call chain whose user's half comes later, a
	 * hardware trace, and a bit of sample_type that Linux 6.19 does not have */
	bool newest;
	unsigned int events; /* on each of two CPUs */
};

/* Makes a file with two tracepoints, test:alpha (u32 number, char text[8]) and
 * user_events:shop__paid (u64 number), and a process 42 "worker" that maps /bin/worker. Event n of
 * CPU c has the time 1000 + 10 * n + c ns, and its number is n. The events are alternately of alpha
 * and of paid. 3 more events of alpha are lost on CPU 1. */
void make_perf_data(struct made_perf *made, const struct perf_options *options);

#endif
