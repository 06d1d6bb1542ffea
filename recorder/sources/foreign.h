/* SPDX-License-Identifier: MIT */
/*
 * Sources that were not made for us: USDT probes of unmodified programs (foreign_usdt.c) and the
 * kernel's tracepoints by their arguments (foreign_raw.c). Which they are is found out once, when
 * the recorder starts. Probes belong to files, so processes that start later are recorded as well.
 */
#ifndef FREC_RECORDER_SOURCES_FOREIGN_H
#define FREC_RECORDER_SOURCES_FOREIGN_H

#include "recorder/sources/selection.h"
#include "recorder/sources/source.h"

struct frec_foreign;

/* Takes over a source, whatever it returns, and opens it on every ring. */
typedef int frec_foreign_add(void *context, struct frec_source *source, struct frec_error *reterr);

/*
 * Loads what `count` selections, which outlive it, say of foreign sources, hands each source to
 * `add`, and lets them record from then on. Without any it does nothing. A source that cannot be
 * had is reported and passed over where a glob brought it in; a selection of which nothing can be
 * had is an error.
 */
int frec__foreign_create(struct frec_foreign **ret, const struct frec_selection *selection,
			 size_t count, frec_foreign_add *add, void *context,
			 struct frec_error *reterr);

/* After the rings were copied for the last time; before or after the sources are closed. NULL is
 * fine. */
void frec__foreign_destroy(struct frec_foreign *foreign);

/* Takes over `format`. A non-zero return ends the walk and is returned. */
typedef int frec_foreign_visit(void *context, const struct frec_listed *listed,
			       struct frec_format *format);

/* Calls back for all that a selection of USDT probes or raw tracepoints means. -ENOENT, in words,
 * where that is nothing. */
int frec__foreign_list(const struct frec_selection *selection, frec_foreign_visit *visit,
		       void *context, struct frec_error *reterr);

#endif
