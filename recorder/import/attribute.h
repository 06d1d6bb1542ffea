/* SPDX-License-Identifier: MIT */
/* Decides by the attribute of a perf.data event what the .frec file gets from that event. */
#ifndef FREC_RECORDER_IMPORT_ATTRIBUTE_H
#define FREC_RECORDER_IMPORT_ATTRIBUTE_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>

/* Returns whether the .frec file gets events with this attribute. */
bool frec__import_is_written(const struct perf_event_attr *attr);

/* Returns the sample type (PERF_SAMPLE_*) of this event's samples in the .frec file. */
uint64_t frec__import_sample_type(const struct perf_event_attr *attr);

#endif
