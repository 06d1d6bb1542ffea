/* SPDX-License-Identifier: MIT */
/* Keeping an engine's breakpoints in step with the files that run. */
#ifndef FREC_RECORDER_ENGINE_USDT_H
#define FREC_RECORDER_ENGINE_USDT_H

#include "recorder/engine.h"

/*
 * Has the events of services come in through their sites: those of the processes that are there,
 * and, by frec__engine_look_usdt, of those that come. Returns 0 or a negative errno with nothing
 * changed.
 */
int frec__engine_start_usdt(struct frec_engine *engine, struct frec_error *reterr);

/* Listens in what is running now. */
int frec__engine_find_sites(struct frec_engine *engine, struct frec_error *reterr);

/* Looks at the files that were mapped since the last look. Nothing to do where another transport is
 * in use. */
void frec__engine_look_usdt(struct frec_engine *engine);

void frec__engine_stop_usdt(struct frec_engine *engine);

#endif
