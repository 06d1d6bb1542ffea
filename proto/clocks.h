/* SPDX-License-Identifier: MIT */
/* The clocks of the kernel, in nanoseconds. In a time namespace, the clocks that a process reads
 * are ahead of or behind the kernel's, each by a constant. */
#ifndef FREC_PROTO_CLOCKS_H
#define FREC_PROTO_CLOCKS_H

#include <stdint.h>

/* One moment on three clocks, all of which were read within `uncertainty` nanoseconds. */
struct frec_clocks {
	uint64_t monotonic, boottime, realtime, uncertainty; /* nanoseconds */
};

/* By how many nanoseconds CLOCK_REALTIME is ahead of the kernel's CLOCK_MONOTONIC. The number
 * changes only when somebody sets CLOCK_REALTIME, and while the machine sleeps. */
int64_t frec__clocks_epoch(void);

/* Reads the three clocks several times and keeps the readings that are closest together. */
void frec__clocks_read(struct frec_clocks *ret);

/* Sets by how many nanoseconds the clocks of this process are ahead of the kernel's. Call it before
 * any other function here, and before there are threads. */
void frec__clocks_set_ahead(int64_t monotonic, int64_t boottime);

/* The kernel's CLOCK_MONOTONIC in nanoseconds. Any thread and any signal handler may call it. */
uint64_t frec__monotonic(void);

/* Returns how many milliseconds poll(2) has to wait until `time`, rounded up; 0 if that has passed.
 * It is at most INT_MAX, which is 24 days. */
int frec__milliseconds_until(uint64_t time);

#endif
