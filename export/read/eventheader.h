/* SPDX-License-Identifier: MIT */
/*
 * Events that carry their own description: EventHeader, as LinuxTracepoints, OpenTelemetry's
 * user_events exporters and tracing-etw emit them. All events of a provider with one level and
 * keyword share one tracepoint, PROVIDER_L<level>K<keyword>; name and fields stand in each payload.
 * The format: eventheader/eventheader.h in github.com/microsoft/LinuxTracepoints.
 *
 * When a snapshot is opened its records are looked through once, where it has such tracepoints, and
 * each distinct description becomes one more of its sources. Whoever reads records then gets them
 * as events of these sources, and needs to know nothing of this. A payload without a description,
 * or with a damaged one, stays one of its tracepoint.
 */
#ifndef FREC_EXPORT_READ_EVENTHEADER_H
#define FREC_EXPORT_READ_EVENTHEADER_H

#include "export/read/records.h"
#include "export/read/text.h"

/* Bounds, because every record of a hostile file can have another description. */
#define FREC_EVENTHEADER_SOURCES_MAX 16384
#define FREC_EVENTHEADER_BYTES_MAX (32u << 20)
#define FREC_EVENTHEADER_FIELDS_MAX 256

/* Adds the sources. Returns 0 or -ENOMEM. What of the records cannot be read is passed over: their
 * next reader says so. */
int frec__eventheader_find(struct frec_snapshot *snapshot);
void frec__eventheader_free(struct frec_eventheader *eventheader);

/* Makes the record one of the source that its payload describes. */
void frec__eventheader_translate(const struct frec_snapshot *snapshot, struct frec_record *record);

/*
 * Decodes the fields of a record of such a source into `values`, one for each. What had to be
 * converted is put into `scratch` and valid until that changes. A value that the payload says is
 * absent is FREC_VALUE_INVALID, as is what the payload is too short for. Returns 1, -EBADMSG where
 * it was too short, or 0, having done nothing, for a record of any other source.
 */
int frec__eventheader_decode(const struct frec_snapshot *snapshot, const struct frec_record *record,
			     struct frec_text *scratch, struct frec_value *values);

#endif
