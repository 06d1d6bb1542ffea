/* SPDX-License-Identifier: MIT */
/*
 * Processes in a time namespace (time_namespaces(7)) have clocks of their own: CLOCK_MONOTONIC and
 * CLOCK_BOOTTIME are ahead of the kernel's by a constant, or behind. The kernel dates its records
 * by its own clocks, and so do we: whoever reads a clock subtracts by how much it is ahead.
 */
#ifndef FREC_RECORDER_SERVICE_CLOCK_AHEAD_H
#define FREC_RECORDER_SERVICE_CLOCK_AHEAD_H

#include <stdint.h>

/* By how many nanoseconds the clocks of a process are ahead of the kernel's; negative: behind. */
struct frec__clock_ahead {
	int64_t monotonic, boottime;
};

/*
 * Asks /proc how far the clocks of this process are ahead. Returns 0 or a negative errno: there is
 * no /proc, or the process has made a time namespace for its children, of which alone /proc tells.
 * Keeps errno. May be called by signal handlers.
 */
int frec__clock_ahead(struct frec__clock_ahead *ret);

/*
 * Measures how far CLOCK_MONOTONIC is ahead, without a system call. CLOCK_REALTIME is the same in
 * all namespaces, so it is the bridge: `epoch` is by how many nanoseconds it was ahead of the
 * kernel's CLOCK_MONOTONIC a moment ago. The coarse variants of both clocks are read: they need no
 * counter of the processor, and are exact together. Returns `known` if that agrees with the
 * measurement within FREC__CLOCK_TOLERANCE, because somebody may just have set CLOCK_REALTIME, else
 * the measurement.
 */
#define FREC__CLOCK_TOLERANCE INT64_C(100000000)
int64_t frec__clock_measure(int64_t epoch, int64_t known);

#endif
