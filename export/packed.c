// SPDX-License-Identifier: MIT
// Packs protobuf messages for output.
#include "export/packed.h"

#include <errno.h>
#include <stdlib.h>

uint8_t *frec__packed_room(struct frec_packed *packed, size_t size)
{
	if (size > packed->size) {
		uint8_t *data = realloc(packed->data, 2 * size);

		if (!data)
			return NULL;
		packed->data = data;
		packed->size = 2 * size;
	}
	return packed->data;
}

int frec__packed_write(struct frec_packed *packed, const ProtobufCMessage *message,
		       struct frec_output *output, struct frec_error *reterr)
{
	size_t size = protobuf_c_message_get_packed_size(message);
	uint8_t *data = frec__packed_room(packed, size);

	// An empty message needs no space, so `data` may be NULL for it.
	if (size && !data)
		return frec__error(reterr, -ENOMEM, "out of memory");
	protobuf_c_message_pack(message, data);
	return frec__output_write(output, data, size, reterr);
}
