/* SPDX-License-Identifier: MIT */
/*
 * Events in the EventHeader format, which carry their own description. LinuxTracepoints,
 * OpenTelemetry's user_events exporters and tracing-etw emit them. All events of a provider that
 * have the same level and keyword share one tracepoint, PROVIDER_L<level>K<keyword>; each payload
 * holds the event's name and fields. The format is defined in eventheader/eventheader.h of
 * github.com/microsoft/LinuxTracepoints.
 *
 * After a snapshot has been opened, frec__eventheader_describe() looks for such tracepoints in it.
 * If there are any, it reads the snapshot's records once, and adds a source to the snapshot for
 * each distinct description. Code that reads records then passes each record to
 * frec__eventheader_translate(), which turns it into a record of the source that describes it. A
 * record without a description, or with a damaged one, stays a record of its tracepoint.
 */
#ifndef FREC_EXPORT_READ_EVENTHEADER_H
#define FREC_EXPORT_READ_EVENTHEADER_H

#include "export/read/eventheader_layout.h"
#include "export/read/fields.h"
#include "export/read/records.h"
#include "export/read/text.h"

/* The most descriptions, and the most bytes that they may have in total: in a hostile file every
 * record can have a different description. */
#define FREC_EVENTHEADER_SOURCES_MAX 16384
#define FREC_EVENTHEADER_BYTES_MAX (32u << 20)

/* Adds a source to the snapshot for each distinct description. Returns 0, or a negative errno if
 * memory or the disk failed. Skips damaged records: the code that reads them next reports them. */
int frec__eventheader_describe(struct frec_snapshot *snapshot);

/* Frees what frec__eventheader_describe() keeps, except the sources, which belong to the snapshot.
 * To be called before the snapshot is closed. */
void frec__eventheader_forget(struct frec_snapshot *snapshot);

/* Turns the record into a record of the source that its payload describes. Does nothing if
 * frec__eventheader_describe() added no such source. */
void frec__eventheader_translate(const struct frec_snapshot *snapshot, struct frec_record *record);

/*
 * Decodes the fields of a translated record into `values`, one for each. A converted value points
 * into `scratch` and is valid until `scratch` changes. A value is FREC_VALUE_INVALID if the payload
 * leaves it empty, gives it a size that its type cannot have, or is too short for it. Returns 1, or
 * -EBADMSG if the payload was too short. For a record that was not translated, does nothing and
 * returns 0.
 */
int frec__eventheader_decode(const struct frec_snapshot *snapshot, const struct frec_record *record,
			     struct frec_text *scratch, struct frec_value *values);

#endif
