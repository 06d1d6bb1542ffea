/* SPDX-License-Identifier: MIT */
/* The parts of a packet that are the same in all events of a source, prepared once. */
#ifndef FREC_EXPORT_PERFETTO_SOURCES_H
#define FREC_EXPORT_PERFETTO_SOURCES_H

#include "export/perfetto/trace.h"

#define FREC_KNOWN_FIELDS_MAX 8

/* The start of a field's annotation: everything before the value, with one byte left for the length
 * of the annotation. */
struct frec_perfetto_annotation {
	uint8_t bytes[15];
	uint8_t size;
};

struct frec_perfetto_source {
	bool interned; /* its names are in the trace already */
	/* iid of the first field's name; those of the other fields follow */
	uint64_t annotation_iid;
	/* For a tracepoint that Perfetto knows (else NULL): its member of the message FtraceEvent,
	 * and for each field of that member's message the index of the source's field. */
	const ProtobufCFieldDescriptor *known;
	size_t known_field[FREC_KNOWN_FIELDS_MAX];
	struct frec_perfetto_annotation *annotations; /* one for each field */
	/* indices of the fields whose values can take more bytes than a number */
	size_t *long_fields;
	size_t long_count;
	/* the most bytes that an event takes without its long fields, shape and registers */
	size_t bound;
	/* how many bytes the lengths of the last packet and of the event in it took */
	size_t packet_length, event_length;
};

/* Prepares the sources of a host. Returns false if memory runs out. */
bool frec__perfetto_prepare_sources(struct frec_perfetto *perfetto, const struct frec_host *host);
void frec__perfetto_free_sources(struct frec_perfetto_source *sources, size_t count);

/* The most bytes that an event can take, whichever way it is written. */
size_t frec__perfetto_event_bound(const struct frec_perfetto_source *source,
				  const struct frec_event *event);

#endif
