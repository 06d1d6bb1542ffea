/* SPDX-License-Identifier: MIT */
/* Writes a track for each ring, which shows what the file covers and what is missing. */
#ifndef FREC_EXPORT_PERFETTO_COVERAGE_H
#define FREC_EXPORT_PERFETTO_COVERAGE_H

#include "export/perfetto/trace.h"

int frec__perfetto_write_coverage(struct frec_perfetto *perfetto,
				  const struct frec_timeline_file *file, size_t number,
				  struct frec_error *reterr);

#endif
