/* SPDX-License-Identifier: MIT */
/* Collects records of one CPU and writes them to the file as one part. */
#ifndef FREC_RECORDER_SNAPSHOT_CHUNK_H
#define FREC_RECORDER_SNAPSHOT_CHUNK_H

#include "recorder/snapshot/parts.h"

/* The largest size of the records in one part, in bytes. It is far below FREC_RECORDS_SIZE_MAX, the
 * limit of the format, because a reader holds a part of each CPU in memory. */
#define FREC_CHUNK_SIZE (256u << 10)

struct frec_chunk {
	/* the caller sets CPU and ring, and updates times, count and size as it appends */
	Flightrec__Records records;
	uint8_t *plain; /* FREC_CHUNK_SIZE bytes, of which records.size are used */
	uint8_t *packed;
	struct ZSTD_CCtx_s *zstd;
};

/* Returns 0 or -ENOMEM. Call frec__chunk_deinit() in both cases. */
int frec__chunk_init(struct frec_chunk *chunk);
void frec__chunk_deinit(struct frec_chunk *chunk);

/* Writes the collected records, if there are any, and empties the chunk. Returns
 * parts->error.code. */
int frec__chunk_flush(struct frec_chunk *chunk, struct frec_parts *parts);

#endif
