/* SPDX-License-Identifier: MIT */
/* What the files of the perf.data writer share. */
#ifndef FREC_EXPORT_PERF_PERF_H
#define FREC_EXPORT_PERF_PERF_H

#include <linux/perf_event.h>

#include "export/read/text.h"
#include "export/writer.h"

/*
 * How a field stands in the payloads that are written: integers, also those of an array, and floats
 * take 8 bytes; of a text and of bytes there is a u16 offset and a u16 size of what stands behind
 * the fixed part.
 */
struct frec_perf_field {
	enum frec_field_type type;
	uint32_t offset;
	uint32_t count; /* of an array's elements; of others 1; 0: there is no room for it */
};

struct frec_perf_source {
	uint16_t id; /* of the event, 0 where it is not wanted */
	uint32_t fixed_size;
	struct frec_perf_field *fields;
	struct perf_event_attr attr;
};

/* Lays out the source's payloads. Returns 0 or -ENOMEM; free source->fields. */
int frec__perf_lay_out(struct frec_perf_source *source, const Flightrec__Source *from, uint16_t id);

/* The format file of the event, as the kernel would have it for such payloads. */
void frec__perf_format(struct frec_text *text, const struct frec_perf_source *source,
		       const Flightrec__Source *from);

/* Adds the payload of an event. */
void frec__perf_payload(struct frec_text *bytes, const struct frec_perf_source *source,
			const struct frec_event *event);

/* Features: what stands behind the records. `offset`: where the bytes will stand in the file. Sets
 * the bits of those that are there. */
void frec__perf_features(struct frec_text *bytes, const struct frec_export *context,
			 const struct frec_perf_source *sources, uint64_t offset,
			 uint64_t *ret_bits);

static inline void frec__perf_add(struct frec_text *bytes, uint64_t value, size_t size)
{
	frec__text_add(bytes, &value, size); // little-endian, as all machines that record
}

#endif
