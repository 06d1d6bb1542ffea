/* SPDX-License-Identifier: MIT */
/* The exited processes in the process table: which of them are kept, and which make room. */
#ifndef FREC_RECORDER_PROCESSES_EXITED_H
#define FREC_RECORDER_PROCESSES_EXITED_H

#include "recorder/processes/processes.h"

/* Marks a process as exited at `time`, unless it is marked already. If there are then too many
 * exited processes, removes as many as are too many. */
void frec__exited_add(struct frec_process_table *table, struct frec_process *process,
		      uint64_t time);

/* Of the exited processes that do not matter, removes the one that exited first. If all matter,
 * removes the one that exited first of all. Does nothing if there is none. */
void frec__exited_drop_oldest(struct frec_process_table *table);

#endif
