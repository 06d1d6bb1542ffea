/* SPDX-License-Identifier: MIT */
/* The processes that emitted a user event which is in a capture. One walk over the records finds
 * all of them, so that any number of deaths can be looked up afterwards. */
#ifndef FREC_RECORDER_SNAPSHOT_EMITTERS_H
#define FREC_RECORDER_SNAPSHOT_EMITTERS_H

#include "proto/table.h"
#include "recorder/snapshot/snapshot.h"

/* Initialize it with zeroes: it then has no process. */
struct frec_emitters {
	struct frec_process_table *processes;
	struct frec_table known; /* see emitters.c */
	bool incomplete;	 /* memory ran out */
};

/* Finds the emitters in snapshot->capture, and marks them in the process table (has_emitted), which
 * must outlive `emitters`. */
void frec__emitters_find(struct frec_emitters *emitters, const struct frec_snapshot_job *snapshot);
void frec__emitters_deinit(struct frec_emitters *emitters);

/* Returns whether the process that died emitted, or another worker of the same service, because if
 * many workers crash at once, their stacks overwrite some of their events. If memory ran out,
 * returns true, because a superfluous file is better than a missing one. */
bool frec__emitters_have(const struct frec_emitters *emitters, const struct frec_reason *reason);

#endif
