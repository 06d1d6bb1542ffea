/* SPDX-License-Identifier: MIT */
/* Writes what the trace covers and lacks as attributes of the trace. */
#ifndef FREC_EXPORT_PERFETTO_ATTRIBUTES_H
#define FREC_EXPORT_PERFETTO_ATTRIBUTES_H

#include "export/perfetto/trace.h"

int frec__perfetto_write_attributes(struct frec_perfetto *perfetto, struct frec_error *reterr);

#endif
