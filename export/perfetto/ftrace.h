/* SPDX-License-Identifier: MIT */
/* Writes kernel tracepoints as ftrace events, packed by hand. */
#ifndef FREC_EXPORT_PERFETTO_FTRACE_H
#define FREC_EXPORT_PERFETTO_FTRACE_H

#include "export/perfetto/trace.h"

int frec__perfetto_write_ftrace(struct frec_perfetto *perfetto, const struct frec_event *event,
				struct frec_error *reterr);

#endif
