/* SPDX-License-Identifier: MIT */
/* Finds the parts of our own samples that are at no fixed place: see Records in flightrec.proto. */
#ifndef FREC_RECORDER_SNAPSHOT_SAMPLE_PARTS_H
#define FREC_RECORDER_SNAPSHOT_SAMPLE_PARTS_H

#include "proto/perf_sample.h"
#include "recorder/sources/source.h"
#include "unwind/unwind.h"

/* Takes a record of `source` apart. Returns 0, or -EPROTO if it is not a valid sample of the
 * source. */
int frec__sample_read(const struct frec_source *source, const struct perf_event_header *record,
		      struct frec_perf_sample *ret);

/* Bytes of the source's samples before the call chain, or before the payload if there is no call
 * chain. */
size_t frec__sample_head(const struct frec_source *source);

/* Bytes of a sample that are call chain, registers and stack; 0 if the record is broken or no
 * sample. */
size_t frec__sample_stacks(const struct frec_source *source,
			   const struct perf_event_header *record);

/* What unwinding starts from. The registers are copied to `values`; their count is 0 if the sample
 * has none. */
void frec__sample_state(const struct frec_source *source, const struct frec_perf_sample *parts,
			uint64_t values[64], struct frec_unwind_registers *ret_registers,
			struct frec_stack *ret_stack);

#endif
