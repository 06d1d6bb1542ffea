// SPDX-License-Identifier: MIT
// Compresses records and writes them as parts.
#include "recorder/snapshot/chunk.h"

#include <errno.h>
#include <stdlib.h>
#include <zstd.h>

#define ZSTD_LEVEL 1
#define PACKED_SIZE ZSTD_compressBound(FREC_CHUNK_SIZE)

int frec__chunk_init(struct frec_chunk *chunk)
{
	const Flightrec__Records none = FLIGHTREC__RECORDS__INIT;

	*chunk = (struct frec_chunk){.records = none,
				     .plain = malloc(FREC_CHUNK_SIZE),
				     .packed = malloc(PACKED_SIZE),
				     .zstd = ZSTD_createCCtx()};
	return chunk->plain && chunk->packed && chunk->zstd ? 0 : -ENOMEM;
}

void frec__chunk_deinit(struct frec_chunk *chunk)
{
	ZSTD_freeCCtx(chunk->zstd);
	free(chunk->packed);
	free(chunk->plain);
}

int frec__chunk_flush(struct frec_chunk *chunk, struct frec_parts *parts)
{
	Flightrec__Records *records = &chunk->records;
	size_t size;

	if (!records->count)
		return parts->error.code;
	size = ZSTD_compressCCtx(chunk->zstd, chunk->packed, PACKED_SIZE, chunk->plain,
				 records->size, ZSTD_LEVEL);
	if (ZSTD_isError(size) || size >= records->size) {
		records->content_case = FLIGHTREC__RECORDS__CONTENT_PLAIN;
		records->plain = (ProtobufCBinaryData){records->size, chunk->plain};
	} else {
		records->content_case = FLIGHTREC__RECORDS__CONTENT_ZSTD;
		records->zstd = (ProtobufCBinaryData){size, chunk->packed};
	}
	parts->records += records->count;
	frec__parts_write(parts, FREC_PART_RECORDS, &records->base);
	records->size = records->count = 0;
	records->first = records->last = 0;
	return parts->error.code;
}
