/* SPDX-License-Identifier: MIT */
/* Finds out whether the exact clock can be read in user space on this machine. */
#ifndef FREC_RECORDER_RINGS_CLOCK_PROBE_H
#define FREC_RECORDER_RINGS_CLOCK_PROBE_H

#include <stdbool.h>

/* The last finding, and the kernel's clock source at that time. Must be zeroed before the first
 * use. */
struct frec_clock_probe {
	bool tried, needs_call;
	char source[64];
};

/*
 * Returns whether reading CLOCK_MONOTONIC makes a system call now, as it does if the kernel's clock
 * source is a timer chip (hpet, acpi_pm). The kernel can change to such a source at any time, if it
 * finds that the processors' counters cannot be trusted. If the clock source has changed since the
 * last call, reads the clock in a thread in which a seccomp filter makes that system call fail.
 * Returns false if the filter cannot be set, because services then cannot have filters that kill
 * them for that call either.
 */
bool frec__clock_needs_call(struct frec_clock_probe *probe);

#endif
