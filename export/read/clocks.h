/* SPDX-License-Identifier: MIT */
/* Times of a snapshot on other clocks than CLOCK_MONOTONIC. All times are in nanoseconds. */
#ifndef FREC_EXPORT_READ_CLOCKS_H
#define FREC_EXPORT_READ_CLOCKS_H

#include "export/read/snapshot.h"

/* Converts a time of CLOCK_MONOTONIC by the last reading of the clocks before that time, or by the
 * first reading if all are later. Returns the time unchanged if the snapshot has no readings. */
uint64_t frec__snapshot_boottime(const struct frec_snapshot *snapshot, uint64_t monotonic);
uint64_t frec__snapshot_realtime(const struct frec_snapshot *snapshot, uint64_t monotonic);

/* The inverse of frec__snapshot_realtime. Returns 0 for a time before CLOCK_MONOTONIC began. */
uint64_t frec__snapshot_monotonic(const struct frec_snapshot *snapshot, uint64_t realtime);

/* The time of CLOCK_MONOTONIC from which relative times count: that of the death, else of the
 * trigger, else of the last record. */
uint64_t frec__snapshot_reference(const struct frec_snapshot *snapshot);

#endif
