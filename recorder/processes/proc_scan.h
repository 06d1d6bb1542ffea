/* SPDX-License-Identifier: MIT */
/* Fills the process table from /proc. */
#ifndef FREC_RECORDER_PROCESSES_PROC_SCAN_H
#define FREC_RECORDER_PROCESSES_PROC_SCAN_H

#include "recorder/processes/processes.h"

/* Adds every process that the table does not have. Processes that vanish during the scan are
 * skipped. Returns 0, or a negative errno if /proc cannot be listed. */
int frec__process_table_scan(struct frec_process_table *table);

/* Returns the living process `pid`, after adding it if the table does not have it. Returns NULL if
 * the process is gone or memory runs out. */
struct frec_process *frec__process_table_scan_one(struct frec_process_table *table, uint32_t pid);

/* Rereads the owner of a process, if the process still has its memory. */
void frec__process_table_refresh_owner(struct frec_process *process);

/* Rereads the owner of each living process of a user that has become another's, or has hidden
 * itself (prctl(2), PR_SET_DUMPABLE), since its owner was last read. */
void frec__process_table_recheck(struct frec_process_table *table, uint32_t uid);

/* Rereads what only /proc knows about a living process: arguments, executable, owner. */
void frec__process_table_refresh(struct frec_process_table *table, uint32_t pid);

/* Does what frec__process_table_refresh() does, and rereads the mappings. */
void frec__process_table_remap(struct frec_process_table *table, uint32_t pid);

#endif
