/* SPDX-License-Identifier: MIT */
/* What the kernel's BTF tells of its tracepoints' arguments, and how their records are laid out. */
#ifndef FREC_RECORDER_SOURCES_RAW_TRACEPOINTS_H
#define FREC_RECORDER_SOURCES_RAW_TRACEPOINTS_H

#include <bpf/btf.h>

#include "recorder/declared/catalog.h"
#include "recorder/sources/foreign_record.h"
#include "recorder/declared/format.h"

/* Takes over `format`. A non-zero return ends the walk and is returned. */
typedef int frec_raw_visit(void *context, const struct frec_listed *listed,
			   struct frec_format *format, const struct frec_raw_layout *layout);

/* Calls back for each tracepoint that `btf` has and the glob matches, layout.slot being 0. -ENOMEM
 * without memory. */
int frec__raw_tracepoints_walk(const struct btf *btf, const char *glob, frec_raw_visit *visit,
			       void *context);

#endif
