/* SPDX-License-Identifier: MIT */
/* Writes kernel tracepoints as ftrace events, packed by hand. */
#ifndef FREC_EXPORT_PERFETTO_FTRACE_H
#define FREC_EXPORT_PERFETTO_FTRACE_H

#include "export/perfetto/trace.h"

int frec__perfetto_write_ftrace(struct frec_perfetto *perfetto, const struct frec_event *event,
				struct frec_error *reterr);

/* Field numbers in FtraceEventBundle and FtraceEvent. */
enum { FREC_BUNDLE_EVENT = 2, FREC_FTRACE_SCHED_SWITCH = 4 };

/* Packs what every FtraceEvent begins with: the time of `event` and a thread. */
uint8_t *frec__perfetto_ftrace_head(const struct frec_perfetto *perfetto, uint8_t *p,
				    const struct frec_event *event, uint32_t tid);

#endif
