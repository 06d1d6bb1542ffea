/* SPDX-License-Identifier: MIT */
/* Writes the packets that the shape of an event (timeline/shapes.h) needs beside the packet of the
 * event. */
#ifndef FREC_EXPORT_PERFETTO_SHAPES_H
#define FREC_EXPORT_PERFETTO_SHAPES_H

#include "export/perfetto/trace.h"

/* Writes what comes before the event. *ret_track is the track that the event belongs to. */
int frec__perfetto_before(struct frec_perfetto *perfetto, const struct frec_event *event,
			  uint64_t thread_track, uint64_t *ret_track, struct frec_error *reterr);

/* Writes what comes after the event. */
int frec__perfetto_after(struct frec_perfetto *perfetto, const struct frec_event *event,
			 struct frec_error *reterr);

/* The name of the spans that the source's events begin, or NULL. */
const char *frec__perfetto_span_name(const struct frec_perfetto *perfetto,
				     const struct frec_host *host, size_t source);

#endif
