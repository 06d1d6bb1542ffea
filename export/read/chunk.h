/* SPDX-License-Identifier: MIT */
/* Reads a Records part: its description (CPU, ring, size, times) and its uncompressed records. */
#ifndef FREC_EXPORT_READ_CHUNK_H
#define FREC_EXPORT_READ_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export/read/parts.h"

/* Where a Records part lies in the file, and how it describes its records. */
struct frec_chunk_view {
	uint64_t offset;    /* of the part in the file */
	uint32_t part_size; /* bytes in the file */
	uint32_t cpu, ring;
	uint32_t count;
	uint32_t size; /* bytes of the records, uncompressed */
	uint64_t first, last;
};

/* The records of a Records part as they are stored. */
struct frec_chunk_content {
	/* number of the field of Records that holds them; 0: none that this reader knows */
	uint32_t kind;
	const uint8_t *data;
	size_t size;
};

/* The records of one chunk, in a buffer that is reused from call to call. Start with zeroes. */
struct frec_chunk_data {
	uint8_t *data;
	size_t size, capacity;
};

/* Reads the description in a Records part, and finds the stored records. The part does not hold its
 * place in the file, so the caller sets ret_chunk->offset and part_size. Allocates nothing. Returns
 * false if this is not a Records part. */
bool frec__chunk_describe(const struct frec_part_view *view, struct frec_chunk_view *ret_chunk,
			  struct frec_chunk_content *ret_content);

/* Reads and uncompresses the records of the part at `offset`. Returns 0, or a negative errno after
 * pointing *ret_why to the reason in words. The caller frees data->data. */
int frec__chunk_read(struct frec_part_reader *reader, uint64_t offset, struct frec_chunk_data *data,
		     const char **ret_why);

#endif
