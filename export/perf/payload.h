/* SPDX-License-Identifier: MIT */
/*
 * The payloads of the samples in a perf.data file, and the format files that describe them.
 *
 * Every integer and float in a payload takes 8 bytes, also as an element of an array. For text and
 * bytes there is a u16 offset and a u16 size; the data itself follows the fixed part.
 */
#ifndef FREC_EXPORT_PERF_PAYLOAD_H
#define FREC_EXPORT_PERF_PAYLOAD_H

#include <linux/perf_event.h>

#include "export/read/text.h"
#include "export/writer.h"

/* Where a field is in a payload. */
struct frec_perf_field {
	enum frec_field_type type;
	uint32_t offset;
	uint32_t count; /* elements of an array; else 1; 0: there is no space for the field */
};

struct frec_perf_source {
	uint16_t id; /* of the event; 0: not exported */
	uint32_t fixed_size;
	struct frec_perf_field *fields;
	struct perf_event_attr attr;
};

/* Lays out the source's payloads. Returns 0 or -ENOMEM. The caller frees source->fields. */
int frec__perf_lay_out(struct frec_perf_source *source, const Flightrec__Source *from, uint16_t id);

/* Adds the format file of the event, as the kernel would write it for such payloads. */
void frec__perf_format(struct frec_text *text, const struct frec_perf_source *source,
		       const Flightrec__Source *from);

/* Adds the payload of an event. */
void frec__perf_payload(struct frec_text *bytes, const struct frec_perf_source *source,
			const struct frec_event *event);

/* Adds the lowest `size` bytes of a number. */
static inline void frec__perf_add(struct frec_text *bytes, uint64_t value, size_t size)
{
	frec__text_add(bytes, &value, size); // little-endian, as are all machines that record
}

#endif
