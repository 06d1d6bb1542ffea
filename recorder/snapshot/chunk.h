/* SPDX-License-Identifier: MIT */
/* Records of one CPU on their way into a file: collected, and then packed into one part. */
#ifndef FREC_RECORDER_SNAPSHOT_CHUNK_H
#define FREC_RECORDER_SNAPSHOT_CHUNK_H

#include "recorder/snapshot/parts.h"

/* Bytes of records in one part. A reader holds one such part per CPU; the format allows
 * FREC_RECORDS_SIZE_MAX. */
#define FREC_CHUNK_SIZE (256u << 10)

struct frec_chunk {
	/* its CPU, ring, times and counts are filled in by whoever fills `plain` */
	Flightrec__Records records;
	uint8_t *plain; /* FREC_CHUNK_SIZE, of which records.size are taken */
	uint8_t *packed;
	struct ZSTD_CCtx_s *zstd;
};

/* Returns 0 or -ENOMEM, and is to be given back in both cases. */
int frec__chunk_init(struct frec_chunk *chunk);
void frec__chunk_deinit(struct frec_chunk *chunk);

/* Writes what was collected, if anything, and begins anew. Returns what frec__parts_write() does. */
int frec__chunk_flush(struct frec_chunk *chunk, struct frec_parts *parts);

#endif
