/* SPDX-License-Identifier: MIT */
/* Perf records in memory, one after the other, through a cursor that never reads outside them. */
#ifndef FREC_EXPORT_READ_RECORDS_H
#define FREC_EXPORT_READ_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export/read/snapshot.h"

/* One record; all pointers point into the chunk it was read from. */
struct frec_record {
	const uint8_t *data; /* the record with its header */
	size_t size;
	bool sample; /* false: something other than PERF_RECORD_SAMPLE, and nothing below is set */
	uint64_t source_id;
	const Flightrec__Source *source; /* NULL where the snapshot knows no source of this id: then
					    nothing below is set */
	size_t source_index;		 /* in snapshot->sources */
	uint64_t time;			 /* CLOCK_MONOTONIC, ns */
	uint32_t cpu;
	uint64_t weight; /* how often it counts: PERF_SAMPLE_PERIOD, else 1 */
	uint32_t pid,
		tid; /* UINT32_MAX where the kernel could not tell: the task was already gone */
	const uint8_t *callchain; /* u64 each, innermost first, with PERF_CONTEXT_*; not aligned */
	size_t callchain_count;
	const uint8_t *payload; /* with padding at its end */
	size_t payload_size;
	uint64_t register_abi; /* 0: there are no registers */
	uint64_t register_mask;
	const uint8_t *registers; /* u64 each, lowest bit of the mask first; not aligned */
	const uint8_t *stack;	  /* what was really copied */
	size_t stack_size;
	/* What the recorder unwound: see Frames in flightrec.proto. */
	size_t frames_count;
	const uint8_t *frames;	   /* u64 each, innermost first; not aligned */
	const uint8_t *frames_how; /* a byte for each */
	uint32_t frames_end;	   /* StackEnd, or what a damaged file has there */
	uint64_t frames_address;
};

/*
 * Decodes the record at the start of `data`. Returns 0; -ENODATA at the end; -EBADMSG when what
 * stands there is no whole record (then nothing behind it can be found); -EPROTO when the record
 * has a size but its body is not what its source's sample_type promises, or asks for a part of a
 * sample that is not known here: ret->data and ret->size are valid, go on.
 */
int frec__record_next(const struct frec_snapshot *snapshot, const uint8_t *data, size_t size,
		      struct frec_record *ret);

#endif
