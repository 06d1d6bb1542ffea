/* SPDX-License-Identifier: MIT */
/* Starting and stopping an engine. */
#ifndef FREC_RECORDER_ENGINE_START_H
#define FREC_RECORDER_ENGINE_START_H

#include "recorder/engine.h"

/*
 * Starts recording. The engine must stay where it is until it is stopped, because its parts refer
 * to each other. On failure nothing is left and `reterr` says why.
 */
int frec__engine_start(struct frec_engine *engine, const struct frec_engine_options *options,
		       struct frec_error *reterr);
void frec__engine_stop(struct frec_engine *engine);

#endif
