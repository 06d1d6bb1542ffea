/* SPDX-License-Identifier: MIT */
/* Packs the log record of an event by hand, in one pass, because there is one for each event. The
 * field numbers are those of proto/otlp.proto, and the result is what protobuf-c would pack. */
#ifndef FREC_EXPORT_OTLP_LOG_RECORD_H
#define FREC_EXPORT_OTLP_LOG_RECORD_H

#include "export/made_texts.h"
#include "export/otlp/spans.h"

/* The records of one host that wait to be written. */
struct frec_otlp_records {
	struct frec_made_texts texts; /* packed parts of records */
	struct frec_text scratch;
	struct frec_text packed; /* bytes: the field log_records of a ScopeLogs */
	size_t count;
	size_t record_length; /* bytes that the length of the last record took */
};

void frec__otlp_records_init(struct frec_otlp_records *records,
			     const struct frec_snapshot *snapshot);
void frec__otlp_records_deinit(struct frec_otlp_records *records);

/* Adds the record of an event that is in this trace and span. If memory runs out, sets
 * `packed.failed`. */
void frec__otlp_records_add(struct frec_otlp_records *records, const struct frec_event *event,
			    const struct frec_otlp_ids *ids);

/* Adds a record that protobuf-c packs. */
void frec__otlp_records_add_message(struct frec_otlp_records *records,
				    const ProtobufCMessage *record);

#endif
