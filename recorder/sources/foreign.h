/* SPDX-License-Identifier: MIT */
/*
 * Sources that flightrec did not define: USDT probes of unmodified programs (foreign_usdt.c) and
 * kernel tracepoints whose arguments are recorded (foreign_raw.c). Selections are matched
 * once, when the recorder starts. Probes belong to files, so processes that start later are
 * recorded too.
 */
#ifndef FREC_RECORDER_SOURCES_FOREIGN_H
#define FREC_RECORDER_SOURCES_FOREIGN_H

#include "recorder/sources/selection.h"
#include "recorder/sources/source.h"

struct frec_foreign;

/* Takes ownership of a source and opens it on every ring. If this fails, frees the source
 * and returns a negative errno with a message, else returns 0. */
typedef int frec_foreign_add(void *context, struct frec_source *source, struct frec_error *reterr);

/*
 * Finds the foreign sources that the `count` selections match, loads BPF programs for them, passes
 * each source to `add`, and then starts to record. Ignores selections of other events. The
 * selections must outlive `*ret`. If only some sources of a selection can be recorded, this reports
 * the others and continues; if none can, it fails. Returns 0, or a negative errno with a message.
 */
int frec__foreign_create(struct frec_foreign **ret, const struct frec_selection *selection,
			 size_t count, frec_foreign_add *add, void *context,
			 struct frec_error *reterr);

/* Must be called after the last copy of the rings. The sources may be closed before or after this.
 * NULL is fine. */
void frec__foreign_destroy(struct frec_foreign *foreign);

/* Takes ownership of `format`. If this does not return 0, no further calls are made, and the caller
 * returns the same value. */
typedef int frec_foreign_visit(void *context, const struct frec_listed *listed,
			       struct frec_format *format);

/* Calls `visit` for each USDT probe or raw tracepoint that a selection matches. Returns 0, or what
 * `visit` returned, or a negative errno with a message; -ENOENT if there is none. */
int frec__foreign_list(const struct frec_selection *selection, frec_foreign_visit *visit,
		       void *context, struct frec_error *reterr);

#endif
