/* SPDX-License-Identifier: MIT */
/* Converts times of a snapshot between CLOCK_MONOTONIC and other clocks. All times are in
 * nanoseconds. */
#ifndef FREC_EXPORT_READ_CLOCKS_H
#define FREC_EXPORT_READ_CLOCKS_H

#include "export/read/snapshot.h"

/* Convert a time of CLOCK_MONOTONIC to another clock, with the last reading of the clocks that is
 * not after that time, or with the first reading if all are later. Return the time unchanged if the
 * snapshot has no readings. */
uint64_t frec__snapshot_boottime(const struct frec_snapshot *snapshot, uint64_t monotonic);
uint64_t frec__snapshot_realtime(const struct frec_snapshot *snapshot, uint64_t monotonic);

/* The inverse of frec__snapshot_realtime(). Returns 0 for a time before CLOCK_MONOTONIC began to
 * count. */
uint64_t frec__snapshot_monotonic(const struct frec_snapshot *snapshot, uint64_t realtime);

/* Returns the time of CLOCK_MONOTONIC that is zero in relative times: that of the death, else that
 * of the trigger, else that of the last record. */
uint64_t frec__snapshot_reference(const struct frec_snapshot *snapshot);

#endif
