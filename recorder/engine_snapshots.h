/* SPDX-License-Identifier: MIT */
/* The snapshots of the engine. Only engine.c includes this; everybody else includes engine.h. */
#ifndef FREC_RECORDER_ENGINE_SNAPSHOTS_H
#define FREC_RECORDER_ENGINE_SNAPSHOTS_H

#include "recorder/engine.h"

/* Reads what the kernel has reported about processes and crashes. */
void frec__engine_drain(struct frec_engine *engine);

/* Write the snapshots that are due. At most one of them is a death's. */
void frec__engine_work_off_deaths(struct frec_engine *engine);
void frec__engine_work_off_triggers(struct frec_engine *engine);

#endif
