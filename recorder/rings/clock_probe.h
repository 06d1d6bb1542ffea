/* SPDX-License-Identifier: MIT */
/* Whether the exact clock can be read in user space on this machine. */
#ifndef FREC_RECORDER_RINGS_CLOCK_PROBE_H
#define FREC_RECORDER_RINGS_CLOCK_PROBE_H

#include <stdbool.h>

/* What was found, and for which of the kernel's clock sources. Begins as zeroes. */
struct frec_clock_probe {
	bool tried, needs_call;
	char source[64];
};

/*
 * Whether reading CLOCK_MONOTONIC makes a system call now, as it does if the kernel's clock source
 * is a timer chip (hpet, acpi_pm). The kernel can change to one at any time, if it finds that the
 * processors' counters cannot be trusted. Tries it in a thread in which that system call fails, but
 * only if the clock source is another one than at the last call. Returns false if it cannot be
 * tried, because then no thread can be killed for it either.
 */
bool frec__clock_needs_call(struct frec_clock_probe *probe);

#endif
