/* SPDX-License-Identifier: MIT */
/* Names of perf events for which a recording has none. */
#ifndef FREC_RECORDER_IMPORT_EVENT_NAME_H
#define FREC_RECORDER_IMPORT_EVENT_NAME_H

#include <linux/perf_event.h>
#include <stddef.h>

/*
 * Writes into `ret` what perf calls the event of an attribute, such as "cycles:ppp" or
 * "L1-dcache-load-misses:u", after the enums of include/uapi/linux/perf_event.h and the modifiers
 * of perf-list(1). If the event belongs to a processor's or a device's own unit, the name is its
 * type and number: "type-9-0x3c". `size` is at least 64.
 */
void frec__event_name(char *ret, size_t size, const struct perf_event_attr *attr);

#endif
