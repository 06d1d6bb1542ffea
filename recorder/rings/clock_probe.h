/* SPDX-License-Identifier: MIT */
/* Finds out whether the exact clock can be read in user space on this machine. */
#ifndef FREC_RECORDER_RINGS_CLOCK_PROBE_H
#define FREC_RECORDER_RINGS_CLOCK_PROBE_H

#include <stdbool.h>

/* How services can read CLOCK_MONOTONIC. */
enum frec_clock_way {
	FREC_CLOCK_EXACT,   /* in user space */
	FREC_CLOCK_COUNTER, /* in user space, where it is the processor's counter */
	FREC_CLOCK_COARSE,  /* only its coarse variant can be read without a system call */
};

/* The last finding, and the kernel's clock source at that time. Must be zeroed before the first
 * use. */
struct frec_clock_probe {
	bool tried;
	enum frec_clock_way way;
	char source[64];
};

/*
 * Returns how CLOCK_MONOTONIC can be read now. Reading it makes a system call if the kernel's clock
 * source is a timer chip (hpet, acpi_pm). The kernel can change to such a source at any time, if it
 * finds that the processors' counters cannot be trusted. If the clock source has changed since the
 * last call, reads the clock in a thread in which a seccomp filter makes that system call fail.
 * If the filter cannot be set, takes the clock for one that needs no call, because services then
 * cannot have filters that kill them for that call either.
 */
enum frec_clock_way frec__clock_probe(struct frec_clock_probe *probe);

#endif
