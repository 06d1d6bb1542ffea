// SPDX-License-Identifier: MIT
// The records of one Records part, uncompressed. Nearly all bytes of a file are in these parts, so
// they are not unpacked by protobuf-c, which would copy them once more.
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "export/read/parts.h"
#include "export/read/snapshot.h"
#include "export/read/wire.h"

// Numbers of fields, as in proto/flightrec.proto; a test compares them with it.
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

		if (ZSTD_isError(n) || n != size)
			return *why = "these records cannot be uncompressed to the size they claim",
			       -EBADMSG;
	}
	data->size = size;
	return 0;
}

int frec__snapshot_read_chunk(struct frec_snapshot *snapshot, const struct frec_chunk_view *chunk,
			      struct frec_chunk_data *data, struct frec_error *reterr)
{
	struct frec_chunk_content content;
	struct frec_part_view view;
	struct frec_chunk_view found;
	const char *why;
	int result;

	data->size = 0;
	result = frec__part_read(&snapshot->reader, chunk->offset, &view);
	if (!result &&
	    (view.field != FREC_PART_RECORDS || !frec__chunk_describe(&view, &found, &content)))
		result = -EBADMSG;
	if (result)
		why = frec__part_why(result);
	else
		result = uncompress(&content, found.size, data, &why);
	if (result)
		return frec__error(reterr, result, "%s: byte %" PRIu64 ": %s", snapshot->name,
				   chunk->offset, why);
	return 0;
}
