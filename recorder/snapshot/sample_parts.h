/* SPDX-License-Identifier: MIT */
/* Finds those parts of our own samples whose place is not fixed: see Records in flightrec.proto. */
#ifndef FREC_RECORDER_SNAPSHOT_SAMPLE_PARTS_H
#define FREC_RECORDER_SNAPSHOT_SAMPLE_PARTS_H

#include "proto/perf_sample.h"
#include "recorder/sources/source.h"
#include "unwind/unwind.h"

/* Splits a record of `source` into its parts. Returns 0, or -EPROTO if it is not a valid sample of
 * the source. */
int frec__sample_read(const struct frec_source *source, const struct perf_event_header *record,
		      struct frec_perf_sample *ret);

/* Returns how many bytes the source's samples have before the call chain, or before the payload if
 * they have no call chain. */
size_t frec__sample_head(const struct frec_source *source);

/* Returns how many bytes of a sample are call chain, registers and stack, or 0 if the record is
 * broken or is no sample. */
size_t frec__sample_stacks(const struct frec_source *source,
			   const struct perf_event_header *record);

/* Returns what unwinding starts from. The registers are copied to `values`; ret_registers->count is
 * 0 if the sample has none. */
void frec__sample_state(const struct frec_source *source, const struct frec_perf_sample *parts,
			uint64_t values[64], struct frec_unwind_registers *ret_registers,
			struct frec_stack *ret_stack);

#endif
