/* SPDX-License-Identifier: MIT */
/* Finds which process or thread had a given pid or tid at a given time. */
#ifndef FREC_EXPORT_READ_PROCESSES_H
#define FREC_EXPORT_READ_PROCESSES_H

#include <stddef.h>
#include <stdint.h>

#include "export/read/snapshot.h"

struct frec_process_entry {
	uint32_t tid;
	uint64_t start;
	const Flightrec__Process *process;
	/* NULL: this is a main thread, and the snapshot has its process but not the thread
	 * itself */
	const Flightrec__Thread *thread;
};

struct frec_processes {
	struct frec_process_entry *entries; /* sorted by tid, then start */
	size_t count;
};

/* Makes a table that points into the snapshot, which must outlive it. Returns 0 or -ENOMEM. */
int frec__processes_init(struct frec_processes *processes, const struct frec_snapshot *snapshot);
void frec__processes_deinit(struct frec_processes *processes);

/* Returns the thread that had this tid at `time`; a tid can have several threads, one after the
 * other. If none had it then, returns the first one that had it later. NULL if the table has no
 * such tid. */
const struct frec_process_entry *frec__processes_find(const struct frec_processes *processes,
						      uint32_t tid, uint64_t time);

/* Returns the name of a thread. For a main thread without a name of its own, this is the name of
 * the process. The name is not NUL-terminated and may be empty. `entry` may be NULL. */
ProtobufCBinaryData frec__process_entry_thread_name(const struct frec_process_entry *entry);

#endif
