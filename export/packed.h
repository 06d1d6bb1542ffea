/* SPDX-License-Identifier: MIT */
/* A reusable buffer for packed protobuf messages. */
#ifndef FREC_EXPORT_PACKED_H
#define FREC_EXPORT_PACKED_H

#include <protobuf-c/protobuf-c.h>

#include "export/output.h"

/* Initialise with zeroes. The caller frees `data`. */
struct frec_packed {
	uint8_t *data;
	size_t size;
};

/* Returns space for `size` bytes, or NULL if memory runs out. */
uint8_t *frec__packed_room(struct frec_packed *packed, size_t size);

/* Packs a message and writes it with one frec__output_write. Returns 0 or a negative errno. */
int frec__packed_write(struct frec_packed *packed, const ProtobufCMessage *message,
		       struct frec_output *output, struct frec_error *reterr);

#endif
