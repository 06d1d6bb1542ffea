/* SPDX-License-Identifier: MIT */
/* Keeping an engine's rings and sources in step with the machine: its CPUs, its events. */
#ifndef FREC_RECORDER_ENGINE_SOURCES_H
#define FREC_RECORDER_ENGINE_SOURCES_H

#include "recorder/engine.h"

/* Opens a ring and a sideband for every CPU that is online. */
int frec__engine_open_cpus(struct frec_engine *engine, struct frec_error *reterr);

/* Opens the source of fatal signals with registers and stack; every recorder has it. */
int frec__engine_open_crash_source(struct frec_engine *engine, struct frec_error *reterr);

/* Opens a source, which it takes over, on every ring. */
int frec__engine_open_source(struct frec_engine *engine, struct frec_source *source,
			     struct frec_error *reterr);

/* Opens one more source on every ring, whose records carry `stack`. `filter` is static or NULL. */
int frec__engine_add_source(struct frec_engine *engine, const struct frec_listed *listed,
			    const char *filter, const struct frec_stack_choice *stack,
			    struct frec_error *reterr);

/* Whether a selection means events of services, and nothing of the kernel's or of programs that
 * know nothing of us. */
bool frec__engine_is_of_services(const struct frec_engine *engine,
				 const struct frec_selection *selection);

/* The stacks of an event: what the last selection says that means it and says something, else the
 * choice for all. */
const struct frec_stack_choice *frec__engine_stack(const struct frec_engine *engine,
						   const struct frec_listed *listed);

/* Whether an event of services is selected. */
bool frec__engine_selects(const struct frec_engine *engine, const struct frec_declared *event);

/* Opens what is selected and not open yet. With `strict` the first failure ends it; else each is
 * reported and passed over. */
int frec__engine_find_sources(struct frec_engine *engine, bool strict, struct frec_error *reterr);

/* Sets memory aside for a capture of what is open now. */
int frec__engine_reserve(struct frec_engine *engine, struct frec_error *reterr);

/* Looks for new events and CPUs that came or went. */
void frec__engine_look(struct frec_engine *engine);

#endif
