/* SPDX-License-Identifier: MIT */
/* Writes events as track events, packed by hand. */
#ifndef FREC_EXPORT_PERFETTO_EVENT_H
#define FREC_EXPORT_PERFETTO_EVENT_H

#include "export/perfetto/trace.h"

/* Writes an event as an instant or as one end of a slice. `interned` holds the names of the event's
 * source if this is the source's first event, else it is NULL. */
int frec__perfetto_write_event(struct frec_perfetto *perfetto, const struct frec_event *event,
			       uint64_t track, uint64_t callstack_iid,
			       const Perfetto__Protos__InternedData *interned,
			       struct frec_error *reterr);

/* Writes one value of a counter. */
int frec__perfetto_write_value(struct frec_perfetto *perfetto, uint64_t time, uint64_t track,
			       const struct frec_value *value, struct frec_error *reterr);

#endif
