/* SPDX-License-Identifier: MIT */
/* Is this byte string a well-formed message of that type? Asked before protobuf-c unpacks what a
 * stranger may have written. */
#ifndef FREC_EXPORT_WIRE_H
#define FREC_EXPORT_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

/* No message of a snapshot may hold more fields and elements than this: it bounds what unpacking
 * allocates. */
#define FREC_WIRE_ITEMS_MAX (1u << 20)

/*
 * Walks `data` as `descriptor` describes it: every tag, varint and length in bounds, every known
 * field with its own wire type, no embedded message of a singular field twice. Returns 0 or
 * -EBADMSG. Reads only, allocates nothing.
 */
int frec__wire_check(const ProtobufCMessageDescriptor *descriptor, const uint8_t *data,
		     size_t size);

#endif
