/* SPDX-License-Identifier: MIT */
/* The threads of a process, those that ended included. */
#ifndef FREC_RECORDER_PROCESSES_THREADS_H
#define FREC_RECORDER_PROCESSES_THREADS_H

#include "recorder/processes/processes.h"

/* Of the threads of a process that have or had this tid, returns the youngest, or NULL. */
struct frec_thread *frec__process_thread(const struct frec_process *process, uint32_t tid);

/* Adds a thread with the name of its process. Makes room for it at the expense of exited processes
 * and dead threads. If there is no room, counts the thread and returns NULL. */
struct frec_thread *frec__process_thread_add(struct frec_process_table *table,
					     struct frec_process *process, uint32_t tid,
					     uint64_t time);

/* Marks a thread as ended, but not its process. */
void frec__process_thread_end(struct frec_process *process, struct frec_thread *thread,
			      uint64_t time);

#endif
