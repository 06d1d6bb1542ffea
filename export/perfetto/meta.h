/* SPDX-License-Identifier: MIT */
/* The packets that describe the current host, perfetto->host: clocks, system, processes and
 * threads. */
#ifndef FREC_EXPORT_PERFETTO_META_H
#define FREC_EXPORT_PERFETTO_META_H

#include "export/perfetto/trace.h"

int frec__perfetto_write_clocks(struct frec_perfetto *perfetto, struct frec_error *reterr);
int frec__perfetto_write_system(struct frec_perfetto *perfetto, struct frec_error *reterr);
int frec__perfetto_write_processes(struct frec_perfetto *perfetto, struct frec_error *reterr);

#endif
