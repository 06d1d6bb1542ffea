/* SPDX-License-Identifier: MIT */
/* Checks that bytes are a well-formed protobuf message of a given type, before protobuf-c unpacks
 * them: anybody may have written the file. */
#ifndef FREC_EXPORT_READ_WIRE_H
#define FREC_EXPORT_READ_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

/* A message must have fewer fields and packed elements than this, counting those of the messages
 * nested in it. This bounds what unpacking allocates. */
#define FREC_WIRE_ITEMS_MAX (1u << 20)

enum frec_wire_type {
	FREC_WIRE_VARINT = 0,
	FREC_WIRE_FIXED64 = 1,
	FREC_WIRE_LENGTH_DELIMITED = 2,
	FREC_WIRE_FIXED32 = 5,
};

struct frec_wire_field {
	uint32_t number;
	enum frec_wire_type type;
	uint64_t value;	     /* of a varint */
	const uint8_t *data; /* of the other types */
	size_t size;
};

/* Parses the field at *p, which lies before `end`, and moves *p past it. Returns false if there is
 * no complete field there. */
bool frec__wire_next(const uint8_t **p, const uint8_t *end, struct frec_wire_field *ret);

/*
 * Checks that in `data` every tag, varint and length is in bounds, that every field that
 * `descriptor` describes has a wire type that fits its type, that a field that is not repeated
 * holds no more than one message, that there are not too many fields, and that messages are not
 * nested too deeply. Returns 0 or -EBADMSG. Allocates nothing.
 */
int frec__wire_check(const ProtobufCMessageDescriptor *descriptor, const uint8_t *data,
		     size_t size);

/* Does what frec__wire_check() does. On success *ret_memory is an upper bound, in bytes, of the
 * memory that the unpacked message takes. While protobuf-c unpacks a message, it allocates up to 64
 * more bytes for each field in it. */
int frec__wire_measure(const ProtobufCMessageDescriptor *descriptor, const uint8_t *data,
		       size_t size, uint64_t *ret_memory);

#endif
