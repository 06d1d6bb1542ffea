/* SPDX-License-Identifier: MIT */
/* Records the arguments of kernel tracepoints. */
#ifndef FREC_RECORDER_SOURCES_FOREIGN_RAW_H
#define FREC_RECORDER_SOURCES_FOREIGN_RAW_H

#include "recorder/sources/foreign.h"

struct frec_foreign_raw;

/* See foreign.h. Of the `count` selections, this uses those of kind FREC_SELECT_RAW_TRACEPOINT. */
int frec__foreign_raw_create(struct frec_foreign_raw **ret, const struct frec_selection *selection,
			     size_t count, frec_foreign_add *add, void *context,
			     struct frec_error *reterr);
void frec__foreign_raw_destroy(struct frec_foreign_raw *raw);

int frec__foreign_raw_list(const struct frec_selection *selection, frec_foreign_visit *visit,
			   void *context, struct frec_error *reterr);

#endif
