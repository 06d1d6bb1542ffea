/* SPDX-License-Identifier: MIT */
/* Starting and stopping an engine. */
#ifndef FREC_RECORDER_ENGINE_START_H
#define FREC_RECORDER_ENGINE_START_H

#include "recorder/engine.h"

/*
 * Starts recording. The engine must not be moved until it is stopped, because its parts refer to
 * each other. Returns 0; or, after undoing everything, a negative errno with `reterr` filled in.
 */
int frec__engine_start(struct frec_engine *engine, const struct frec_engine_options *options,
		       struct frec_error *reterr);
void frec__engine_stop(struct frec_engine *engine);

#endif
