/* SPDX-License-Identifier: MIT */
/* What /proc knows of processes, for the process table. */
#ifndef FREC_RECORDER_PROCESSES_PROC_SCAN_H
#define FREC_RECORDER_PROCESSES_PROC_SCAN_H

#include "recorder/processes/processes.h"

/* The living process of that number; takes it into the table when it is not there. NULL when it is
 * gone, or no room is left. */
struct frec_process *frec__process_table_scan_one(struct frec_process_table *table, uint32_t pid);

/* Reads anew what may have changed since: owner, arguments, executable, mappings. */
void frec__process_table_remap(struct frec_process_table *table, uint32_t pid);

/*
 * Looks who was born, who ended, and, of those that matter, at new threads; with `names` also how
 * they are called and what they have mapped by now. For recorders without a sideband.
 */
void frec__process_table_poll(struct frec_process_table *table,
			      bool (*matters)(void *context, const struct frec_process *),
			      void *context, bool names);

/*
 * When to look at /proc again, after a look that began at `began` and is over now: `interval`
 * later, or later still where looking would take more than a twentieth of the time. All in
 * nanoseconds of CLOCK_MONOTONIC.
 */
uint64_t frec__process_table_next_look(uint64_t began, uint64_t interval);

/* Calls back for each process that lives. The table must stay as it is meanwhile. */
void frec__process_table_each(struct frec_process_table *table,
			      void (*visit)(void *context, const struct frec_process *),
			      void *context);

#endif
