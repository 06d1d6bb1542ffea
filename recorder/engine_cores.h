/* SPDX-License-Identifier: MIT */
/* Serves `flightrec core` while a process dies: the snapshot of that death waits for the stacks of
 * all threads of the process. */
#ifndef FREC_RECORDER_ENGINE_CORES_H
#define FREC_RECORDER_ENGINE_CORES_H

#include "recorder/engine.h"

/*
 * Returns whether a snapshot of the death of that process is to come. If so, the snapshot waits for
 * the stacks until frec__engine_core_over() is called, the wait takes too long, or the process's
 * events are about to be overwritten.
 */
bool frec__engine_core_announced(struct frec_engine *engine, uint32_t pid);
void frec__engine_core_over(struct frec_engine *engine, uint32_t pid);

/* Reads the stacks from `fd` and keeps them for the snapshot; see frec__kept_stacks_read(). Returns
 * 0 or a negative errno; -ESRCH if no snapshot waits for them. */
int frec__engine_core_stacks(struct frec_engine *engine, uint32_t pid, int fd, uint32_t missing,
			     struct frec_error *reterr);

#endif
