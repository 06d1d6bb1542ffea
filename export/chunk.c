// SPDX-License-Identifier: MIT
// The records of one Records part, uncompressed.
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "export/parts.h"
#include "export/snapshot.h"

static int uncompress_zstd(const Flightrec__Records *records, struct frec_chunk_data *data,
			   const char **why)
{
	size_t n;

	if (records->size > data->capacity) {
		uint8_t *bytes = realloc(data->data, records->size);

		if (!bytes)
			return *why = "out of memory", -ENOMEM;
		data->data = bytes;
		data->capacity = records->size;
	}
	n = ZSTD_decompress(data->data, records->size, records->zstd.data, records->zstd.len);
	if (ZSTD_isError(n) || n != records->size)
		return *why = "these records cannot be uncompressed to the size they claim",
		       -EBADMSG;
	return 0;
}

// Takes the bytes out of the message: a copy would be all that is done with them.
static int take_plain(Flightrec__Records *records, struct frec_chunk_data *data, const char **why)
{
	if (records->plain.len != records->size)
		return *why = "these records are not of the size they claim", -EBADMSG;
	free(data->data);
	data->data = records->plain.data;
	data->capacity = records->size;
	records->plain = (ProtobufCBinaryData){0};
	return 0;
}

static int uncompress(Flightrec__Records *records, struct frec_chunk_data *data, const char **why)
{
	int result = 0;

	if (records->size > FREC_RECORDS_SIZE_MAX)
		return *why = "these records are larger than the format allows", -EBADMSG;
	if (records->content_case == FLIGHTREC__RECORDS__CONTENT_ZSTD)
		result = uncompress_zstd(records, data, why);
	else if (records->content_case == FLIGHTREC__RECORDS__CONTENT_PLAIN)
		result = take_plain(records, data, why);
	else if (records->size)
		return *why = "these records are packed in a way this flightrec does not know",
		       -ENOTSUP;
	if (!result)
		data->size = records->size;
	return result;
}

int frec__snapshot_read_chunk(struct frec_snapshot *snapshot, const struct frec_chunk *chunk,
			      struct frec_chunk_data *data, struct frec_error *reterr)
{
	ProtobufCMessage *message = NULL;
	struct frec_part_view view;
	const char *why;
	int result;

	data->size = 0;
	result = frec__part_read(&snapshot->reader, chunk->offset, &view);
	if (!result && view.field != FREC_PART_RECORDS)
		result = -EBADMSG;
	if (result) {
		why = frec__part_why(result);
	} else {
		message = frec__part_unpack(&view);
		if (message)
			result = uncompress((Flightrec__Records *)message, data, &why);
		else
			result = -EBADMSG, why = frec__part_why(result);
	}
	if (message)
		protobuf_c_message_free_unpacked(message, NULL);
	if (result) {
		data->size = 0;
		return frec__error(reterr, result, "%s: byte %" PRIu64 ": %s", snapshot->name,
				   chunk->offset, why);
	}
	return 0;
}
