/* SPDX-License-Identifier: MIT */
/* Records USDT probes of unmodified programs. */
#ifndef FREC_RECORDER_SOURCES_FOREIGN_USDT_H
#define FREC_RECORDER_SOURCES_FOREIGN_USDT_H

#include "recorder/sources/foreign.h"

struct frec_foreign_usdt;

/* See foreign.h. Of the `count` selections, this uses those of kind FREC_SELECT_USDT. */
int frec__foreign_usdt_create(struct frec_foreign_usdt **ret,
			      const struct frec_selection *selection, size_t count,
			      frec_foreign_add *add, void *context, struct frec_error *reterr);
void frec__foreign_usdt_destroy(struct frec_foreign_usdt *usdt);

int frec__foreign_usdt_list(const struct frec_selection *selection, frec_foreign_visit *visit,
			    void *context, struct frec_error *reterr);

#endif
