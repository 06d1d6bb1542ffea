/* SPDX-License-Identifier: MIT */
/* Is this byte string a well-formed message of that type? Asked before protobuf-c unpacks what a
 * stranger may have written. */
#ifndef FREC_EXPORT_READ_WIRE_H
#define FREC_EXPORT_READ_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

/* No message of a snapshot may hold more fields and elements than this: it bounds what unpacking
 * allocates. */
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
	const uint8_t *data; /* of the others */
	size_t size;
};

/* Takes the field at *p, which lies before `end`, and moves *p behind it. Returns false where no
 * whole field stands. */
bool frec__wire_next(const uint8_t **p, const uint8_t *end, struct frec_wire_field *ret);

/*
 * Walks `data` as `descriptor` describes it: every tag, varint and length in bounds, every known
 * field with its own wire type, no embedded message of a singular field twice. Returns 0 or
 * -EBADMSG. Reads only, allocates nothing.
 */
int frec__wire_check(const ProtobufCMessageDescriptor *descriptor, const uint8_t *data,
		     size_t size);

#endif
