/* SPDX-License-Identifier: MIT */
/* The clocks of the kernel, in nanoseconds. In a time namespace a process has other clocks, which
 * are ahead of the kernel's by constants, or behind. */
#ifndef FREC_PROTO_CLOCKS_H
#define FREC_PROTO_CLOCKS_H

#include <stdint.h>

/* One moment on three clocks, all of which were read within `uncertainty`. */
struct frec_clocks {
	uint64_t monotonic, boottime, realtime, uncertainty; /* nanoseconds */
};

/* By how many nanoseconds CLOCK_REALTIME is ahead of the kernel's CLOCK_MONOTONIC. It changes only
 * if somebody sets CLOCK_REALTIME, and while the machine sleeps. */
int64_t frec__clocks_epoch(void);

/* Reads the three clocks several times and keeps the readings that are closest together. */
void frec__clocks_read(struct frec_clocks *ret);

/* Says by how many nanoseconds the clocks of this process are ahead of the kernel's. Call it before
 * any other function here, and before there are threads. */
void frec__clocks_set_ahead(int64_t monotonic, int64_t boottime);

/* The kernel's CLOCK_MONOTONIC in nanoseconds. Any thread and any signal handler may call it. */
uint64_t frec__monotonic(void);

#endif
