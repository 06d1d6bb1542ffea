/* SPDX-License-Identifier: MIT */
/* Decodes perf records that lie in memory one after the other. Never reads outside them. */
#ifndef FREC_EXPORT_READ_RECORDS_H
#define FREC_EXPORT_READ_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export/read/snapshot.h"

/* In place of a number that was not recorded: of the CPU in `perf record PROGRAM`, or of a process
 * or thread that the kernel did not know any more because the task was already gone. Outputs leave
 * it out, or write what their format has for an unknown value. */
#define FREC_UNKNOWN UINT32_MAX

/* One record. All pointers but `source` point into the data that it was decoded from. */
struct frec_record {
	const uint8_t *data; /* the record with its header */
	size_t size;
	bool sample; /* false: not a PERF_RECORD_SAMPLE, and nothing below is set */
	uint64_t source_id;
	/* NULL if the snapshot has no source with this id; then nothing below is set */
	const Flightrec__Source *source;
	size_t source_index; /* in snapshot->sources */
	uint64_t time;	     /* CLOCK_MONOTONIC, ns */
	uint32_t cpu;	     /* or FREC_UNKNOWN */
	/* how many events the record counts for: its period, or 1 if it has none */
	uint64_t weight;
	uint32_t pid, tid;	  /* or FREC_UNKNOWN */
	const uint8_t *callchain; /* u64 each, innermost first, with PERF_CONTEXT_*; not aligned */
	size_t callchain_count;
	const uint8_t *payload; /* with padding at the end */
	size_t payload_size;
	uint64_t register_abi; /* 0: there are no registers */
	uint64_t register_mask;
	const uint8_t *registers; /* u64 each, lowest bit of the mask first; not aligned */
	const uint8_t *stack;	  /* the bytes that the kernel copied */
	size_t stack_size;
	/* Frames that the recorder unwound: see Frames in flightrec.proto. */
	size_t frames_count;
	const uint8_t *frames;	   /* u64 each, innermost first; not aligned */
	const uint8_t *frames_how; /* a byte for each: see Frames.how */
	uint32_t frames_end;	   /* StackEnd; any number in a damaged file */
	uint64_t frames_address;
};

/*
 * Decodes the record at the start of `data`. Returns 0; -ENODATA if there is no more data; -EBADMSG
 * if there is no complete record here, in which case no later record can be found either; or
 * -EPROTO if the body does not match its source's sample_type, or the sample_type has a part that
 * is not supported. After -EPROTO ret->data and ret->size are valid, and the caller can go on with
 * the next record.
 */
int frec__record_next(const struct frec_snapshot *snapshot, const uint8_t *data, size_t size,
		      struct frec_record *ret);

#endif
