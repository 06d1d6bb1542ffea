/* SPDX-License-Identifier: MIT */
/*
 * Finds out which processes are the service that a keeper records: the process that started the
 * keeper, and those that it forked, directly or not, as long as they execute no other program. A
 * service that becomes a daemon ends the process that it began with, maybe twice, and lives on in a
 * descendant.
 *
 * The sideband reports which process forked which. Without the right to watch the kernel, a forked
 * process is found in /proc (ends.h) or, if its parent is gone too soon for that, in the shared
 * memory, where a child of fork(3) writes its pid (service/shm.h).
 */
#ifndef FREC_RECORDER_LINEAGE_H
#define FREC_RECORDER_LINEAGE_H

#include <stdbool.h>

struct frec_engine;

/* Returns whether a process of the service is alive. */
bool frec__lineage_lives(struct frec_engine *engine);

/*
 * Replaces each watched process that has ended by those of its descendants that belong to the
 * service and whose ends have not been read yet. The pid of the ended process may be given to
 * another process, and once the process table forgets that process, the chain of parents is broken.
 */
void frec__lineage_refresh(struct frec_engine *engine);

#endif
