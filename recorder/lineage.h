/* SPDX-License-Identifier: MIT */
/*
 * Which processes are the service that a keeper records: the process that started the keeper, and
 * what it forked, as long as that executes no other program. A service that becomes a daemon ends
 * the process that it began with, maybe twice, and lives on in a descendant.
 *
 * Which process was forked is known from the sideband. Without the right to watch the kernel it is
 * found in /proc (ends.h) or, if its parent is gone too soon for that, in the shared memory, where
 * a child of fork(3) puts its number (service/shm.h).
 */
#ifndef FREC_RECORDER_LINEAGE_H
#define FREC_RECORDER_LINEAGE_H

#include <stdbool.h>

struct frec_engine;

/* Whether a process of the service is alive. */
bool frec__lineage_lives(struct frec_engine *engine);

/*
 * Watches, instead of each watched process that has ended, those of its descendants that are the
 * service and live: its number may be given to another process, and the chain of parents would
 * break when the process table forgets it.
 */
void frec__lineage_refresh(struct frec_engine *engine);

#endif
