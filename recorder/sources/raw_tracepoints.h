/* SPDX-License-Identifier: MIT */
/* The arguments of kernel tracepoints, read from BTF, and the layout of their records. */
#ifndef FREC_RECORDER_SOURCES_RAW_TRACEPOINTS_H
#define FREC_RECORDER_SOURCES_RAW_TRACEPOINTS_H

#include <bpf/btf.h>

#include "recorder/declared/catalog.h"
#include "recorder/sources/foreign_record.h"
#include "recorder/declared/format.h"

/* Takes ownership of `format`. If this does not return 0, the walk ends and returns the same
 * value. */
typedef int frec_raw_visit(void *context, const struct frec_listed *listed,
			   struct frec_format *format, const struct frec_raw_layout *layout);

/* Calls `visit` for each tracepoint in `btf` that the glob matches. layout->slot is 0: the caller
 * assigns slots. Returns 0, -ENOMEM, or what `visit` returned. */
int frec__raw_tracepoints_walk(const struct btf *btf, const char *glob, frec_raw_visit *visit,
			       void *context);

#endif
