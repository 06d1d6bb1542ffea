/* SPDX-License-Identifier: MIT */
/* Whether the exact clock can be read in user space on this machine. */
#ifndef FREC_RECORDER_RINGS_CLOCK_PROBE_H
#define FREC_RECORDER_RINGS_CLOCK_PROBE_H

#include <stdbool.h>

/*
 * Whether reading CLOCK_MONOTONIC makes a system call here, as it does if the kernel's clock source
 * is a timer chip (hpet, acpi_pm). Tries it in a thread in which that system call fails. Returns
 * false if it cannot be tried, because then no thread can be killed for it either.
 */
bool frec__clock_needs_call(void);

#endif
