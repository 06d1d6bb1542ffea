/* SPDX-License-Identifier: MIT */
/* Keeps the process table up to date without a sideband, by polling /proc. */
#ifndef FREC_RECORDER_PROCESSES_PROC_POLL_H
#define FREC_RECORDER_PROCESSES_PROC_POLL_H

#include "recorder/processes/processes.h"

/*
 * Adds new processes and marks those that are gone as ended. If `matters` returns true for a
 * process, does the same for its threads. If `names` is true, also rereads the names of
 * these threads and calls frec__process_table_remap() for the process.
 */
void frec__process_table_poll(struct frec_process_table *table,
			      bool (*matters)(void *context, const struct frec_process *),
			      void *context, bool names);

/*
 * Returns when to poll again after a poll that started at `began` and ends now: `interval` after
 * `began`, or later if polling would otherwise take more than a twentieth of the time. All times
 * are nanoseconds of CLOCK_MONOTONIC.
 */
uint64_t frec__process_table_next_poll(uint64_t began, uint64_t interval);

#endif
