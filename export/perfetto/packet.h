/* SPDX-License-Identifier: MIT */
/*
 * The common parts of packets that are packed by hand. The field numbers are those of
 * proto/perfetto_trace.proto; a test compares them.
 */
#ifndef FREC_EXPORT_PERFETTO_PACKET_H
#define FREC_EXPORT_PERFETTO_PACKET_H

#include "export/pack.h"
#include "export/perfetto/trace.h"

enum { TRACE_PACKET = 1 };
enum {
	PACKET_FTRACE_EVENTS = 1,
	PACKET_TIMESTAMP = 8,
	PACKET_SEQUENCE_ID = 10,
	PACKET_TRACK_EVENT = 11,
	PACKET_INTERNED_DATA = 12,
	PACKET_SEQUENCE_FLAGS = 13,
	PACKET_PERF_SAMPLE = 66,
	PACKET_MACHINE_ID = 98,
};

enum { EVENT_DEBUG_ANNOTATIONS = 4, ANNOTATION_NAME_IID = 1 };

/* Packs what each packet begins with: the time and the current host's sequence. */
static inline uint8_t *frec__packet_begin(uint8_t *p, const struct frec_perfetto *perfetto,
					  uint64_t time)
{
	p = frec__pack_number(p, PACKET_TIMESTAMP, time);
	return frec__pack_number(p, PACKET_SEQUENCE_ID,
				 FREC_PERFETTO_SEQUENCE + perfetto->host->index);
}

/* Packs the machine id, which the packets of the first host do not have. */
static inline uint8_t *frec__packet_machine(uint8_t *p, const struct frec_host *host)
{
	return host->index ? frec__pack_number(p, PACKET_MACHINE_ID, host->index) : p;
}

/* Packs text as valid UTF-8, followed by `end`. This fills at most four times `size` bytes, plus
 * those of `end` and of the field's number and length. */
uint8_t *frec__packet_text(struct frec_perfetto *perfetto, uint8_t *p, uint32_t field,
			   const void *data, size_t size, const char *end);

#endif
