/* SPDX-License-Identifier: MIT */
/*
 * Processes in a time namespace (time_namespaces(7)) have clocks of their own: CLOCK_MONOTONIC and
 * CLOCK_BOOTTIME are ahead of the kernel's by a constant, or behind. The kernel dates its records
 * by its own clocks. So that our times can be compared with those of the kernel's records, whoever
 * reads a clock subtracts the number of nanoseconds by which the clock is ahead.
 */
#ifndef FREC_RECORDER_SERVICE_CLOCK_AHEAD_H
#define FREC_RECORDER_SERVICE_CLOCK_AHEAD_H

#include <stdint.h>

/* The nanoseconds by which clocks of a process are ahead of the kernel's; negative if behind. */
struct frec__clock_ahead {
	int64_t monotonic, boottime;
};

/*
 * Asks /proc how far the clocks of this process are ahead. Returns 0 or a negative errno, such as
 * -ENODATA if the process has made a time namespace for its children, because /proc then shows only
 * the offsets of that namespace. Keeps errno. May be called by signal handlers.
 */
int frec__clock_ahead(struct frec__clock_ahead *ret);

/*
 * Measures how far CLOCK_MONOTONIC is ahead, without a system call. CLOCK_REALTIME is the same in
 * all namespaces and serves as the reference: `epoch` is the number of nanoseconds by which it was
 * ahead of the kernel's CLOCK_MONOTONIC a moment ago. Reads the coarse variants of both clocks,
 * because they do not use the processor's counter, and because both change at the same tick, so
 * their difference is exact. Returns `known` if it differs from the measurement by less than
 * FREC__CLOCK_TOLERANCE nanoseconds, because somebody may just have set CLOCK_REALTIME; else
 * returns the measurement.
 */
#define FREC__CLOCK_TOLERANCE INT64_C(100000000)
int64_t frec__clock_measure(int64_t epoch, int64_t known);

#endif
