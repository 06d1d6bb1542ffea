/* SPDX-License-Identifier: MIT */
/* Where the parts of a PERF_RECORD_SAMPLE are that stand at no fixed place: see Records in flightrec.proto. */
#ifndef FREC_RECORDER_SAMPLE_PARTS_H
#define FREC_RECORDER_SAMPLE_PARTS_H

#include "recorder/source.h"

/* All pointers lead into the record; nothing there is aligned. What the record does not have has a size of 0. */
struct frec_sample_parts {
	size_t head; /* bytes before the call chain, or before the place where one would be */
	const uint8_t *callchain; /* u64 each */
	size_t callchain_count;
	const uint8_t *raw;
	uint32_t raw_size;
	uint64_t register_mask;
	const uint8_t *registers; /* u64 each, lowest bit of the mask first */
	size_t register_count;
	uint64_t stack_address; /* the stack pointer, 0 where it is not among the registers */
	const uint8_t *stack;	/* from there upwards */
	size_t stack_size;
};

/* Takes a record of `source` apart. Returns 0, or -EBADMSG when it is not what the source's records are. */
int frec__sample_parts(const struct frec_source *source, const struct frec_sample *sample,
		       struct frec_sample_parts *ret);

#endif
