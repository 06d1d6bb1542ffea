/* SPDX-License-Identifier: MIT */
/* Writes the trigger of the snapshot, and the death of the process. */
#ifndef FREC_EXPORT_PERFETTO_CRASH_H
#define FREC_EXPORT_PERFETTO_CRASH_H

#include "export/perfetto/trace.h"

/* The first function writes nothing if the file has no trigger; the second writes nothing if the
 * file has no death. */
int frec__perfetto_write_trigger(struct frec_perfetto *perfetto,
				 const struct frec_timeline_file *file, struct frec_error *reterr);
int frec__perfetto_write_crash(struct frec_perfetto *perfetto,
			       const struct frec_timeline_file *file, struct frec_error *reterr);

#endif
