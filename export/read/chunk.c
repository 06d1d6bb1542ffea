// SPDX-License-Identifier: MIT
// Reads the records of one Records part. Nearly all bytes of a file are in these parts, so
// protobuf-c does not unpack them: it would copy them once more.
#include "export/read/chunk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>
#include <zstd_errors.h>

#include "export/read/wire.h"
#include "flightrec.pb-c.h"

// Field numbers, as in proto/flightrec.proto; a test compares the two.
enum { CPU = 1, COUNT = 2, FIRST = 3, LAST = 4, SIZE = 5, PLAIN = 6, ZSTD = 7, RING = 8 };

bool frec__chunk_describe(const struct frec_part_view *view, struct frec_chunk_view *ret_chunk,
			  struct frec_chunk_content *ret_content)
{
	const uint8_t *p = view->body, *end = p + view->body_size;
	struct frec_wire_field field;

	*ret_chunk = (struct frec_chunk_view){0};
	*ret_content = (struct frec_chunk_content){0};
	if (frec__wire_check(&flightrec__records__descriptor, p, view->body_size))
		return false;
	while (p < end && frec__wire_next(&p, end, &field)) {
		switch (field.number) {
		case CPU:
			ret_chunk->cpu = (uint32_t)field.value;
			break;
		case COUNT:
			ret_chunk->count = (uint32_t)field.value;
			break;
		case FIRST:
			ret_chunk->first = field.value;
			break;
		case LAST:
			ret_chunk->last = field.value;
			break;
		case SIZE:
			ret_chunk->size = (uint32_t)field.value;
			break;
		case RING:
			ret_chunk->ring = (uint32_t)field.value;
			break;
		case PLAIN:
		case ZSTD:
			*ret_content =
				(struct frec_chunk_content){field.number, field.data, field.size};
			break;
		default:
			break;
		}
	}
	return true;
}

static int uncompress(const struct frec_chunk_content *content, uint32_t size,
		      struct frec_chunk_data *data, const char **why)
{
	if (size > FREC_RECORDS_SIZE_MAX)
		return *why = "these records are larger than the format allows", -EBADMSG;
	if (!content->kind && size)
		return *why = "these records are packed in a way this flightrec does not know",
		       -ENOTSUP;
	if (size > data->capacity) {
		uint8_t *bytes = realloc(data->data, size);

		if (!bytes)
			return *why = "out of memory", -ENOMEM;
		data->data = bytes;
		data->capacity = size;
	}
	if (content->kind == PLAIN) {
		if (content->size != size)
			return *why = "these records are not of the size they claim", -EBADMSG;
		if (size)
			memcpy(data->data, content->data, size);
	} else if (content->kind == ZSTD) {
		size_t n = ZSTD_decompress(data->data, size, content->data, content->size);

		if (ZSTD_isError(n) && ZSTD_getErrorCode(n) == ZSTD_error_memory_allocation)
			return *why = "out of memory", -ENOMEM;
		if (ZSTD_isError(n) || n != size)
			return *why = "these records cannot be uncompressed to the size they claim",
			       -EBADMSG;
	}
	data->size = size;
	return 0;
}

int frec__chunk_read(struct frec_part_reader *reader, uint64_t offset, struct frec_chunk_data *data,
		     const char **ret_why)
{
	struct frec_chunk_content content;
	struct frec_chunk_view found;
	struct frec_part_view view;
	int r;

	data->size = 0;
	r = frec__part_read(reader, offset, &view);
	if (!r &&
	    (view.field != FREC_PART_RECORDS || !frec__chunk_describe(&view, &found, &content)))
		r = -EBADMSG;
	if (r) {
		*ret_why = frec__part_why(r);
		return r;
	}
	return uncompress(&content, found.size, data, ret_why);
}
