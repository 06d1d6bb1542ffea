/* SPDX-License-Identifier: MIT */
/* What `flightrec core` asks of an engine while a process dies: the snapshot of that death waits
 * for the stacks of all its threads. */
#ifndef FREC_RECORDER_ENGINE_CORES_H
#define FREC_RECORDER_ENGINE_CORES_H

#include "recorder/engine.h"

/* Whether a snapshot of the death of that process is to come. It then waits for the stacks until
 * frec__engine_core_over(), or until the wait takes too long or its rings are overwritten. */
bool frec__engine_core_announced(struct frec_engine *engine, uint32_t pid);
void frec__engine_core_over(struct frec_engine *engine, uint32_t pid);

/* Keeps the stacks in `fd` for the snapshot; see frec__kept_stacks_read(). -ESRCH: no snapshot
 * waits for them. */
int frec__engine_core_stacks(struct frec_engine *engine, uint32_t pid, int fd, uint32_t missing,
			     struct frec_error *reterr);

#endif
