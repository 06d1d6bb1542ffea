/* SPDX-License-Identifier: MIT */
/*
 * Sources that flightrec did not define: USDT probes of unmodified programs (foreign_usdt.c) and
 * kernel tracepoints by their arguments (foreign_raw.c). Selections are matched once, when the
 * recorder starts. Probes belong to files, so processes that start later are recorded too.
 */
#ifndef FREC_RECORDER_SOURCES_FOREIGN_H
#define FREC_RECORDER_SOURCES_FOREIGN_H

#include "recorder/sources/selection.h"
#include "recorder/sources/source.h"

struct frec_foreign;

/* Takes ownership of a source, even if it fails, and opens the source on every ring. */
typedef int frec_foreign_add(void *context, struct frec_source *source, struct frec_error *reterr);

/*
 * Loads the BPF programs for the foreign sources among `count` selections, which outlive it, passes
 * each source to `add`, and then starts to record. Does nothing if there are none. If a source
 * cannot be recorded and others of its selection can, this reports it and continues; a selection of
 * which no source can be recorded is an error.
 */
int frec__foreign_create(struct frec_foreign **ret, const struct frec_selection *selection,
			 size_t count, frec_foreign_add *add, void *context,
			 struct frec_error *reterr);

/* To be called after the rings were copied for the last time, before or after the sources are
 * closed. NULL is fine. */
void frec__foreign_destroy(struct frec_foreign *foreign);

/* Takes ownership of `format`. A non-zero return ends the walk and is returned. */
typedef int frec_foreign_visit(void *context, const struct frec_listed *listed,
			       struct frec_format *format);

/* Calls back for each USDT probe or raw tracepoint that a selection matches. Returns -ENOENT, with
 * a message, if there is none. */
int frec__foreign_list(const struct frec_selection *selection, frec_foreign_visit *visit,
		       void *context, struct frec_error *reterr);

#endif
