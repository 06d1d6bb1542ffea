// SPDX-License-Identifier: MIT
// Walks protobuf's wire format. protobuf-c 1.4.1, which Debian 12 ships, trusts more of its input
// than it should (when it merges a singular message that occurs twice, and in packed arrays), so
// every message is checked here first.
#include "export/read/wire.h"

#include <errno.h>
#include <stdbool.h>

#define DEPTH_MAX 8

struct walk {
	unsigned int items_left;
	uint64_t memory; // bytes that protobuf-c will allocate
};

// How many bytes malloc() takes for itself with each allocation.
#define ALLOCATION 16

// Returns how many bytes an element takes in the array of a repeated field.
static size_t element_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_BOOL:
	case PROTOBUF_C_TYPE_ENUM:
		return 4;
	default:
		return 8;
	}
}

static bool take_varint(const uint8_t **p, const uint8_t *end, uint64_t *ret)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; shift < 70 && *p < end; shift += 7) {
		uint8_t byte = *(*p)++;

		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret = value;
			return true;
		}
	}
	return false;
}

bool frec__wire_next(const uint8_t **p, const uint8_t *end, struct frec_wire_field *ret)
{
	uint64_t tag, length = 0;

	if (!take_varint(p, end, &tag) || tag > UINT32_MAX || !(tag >> 3))
		return false;
	ret->number = (uint32_t)(tag >> 3);
	ret->type = tag & 7;
	ret->value = 0;
	switch (ret->type) {
	case FREC_WIRE_VARINT:
		if (!take_varint(p, end, &ret->value))
			return false;
		break;
	case FREC_WIRE_FIXED64:
		length = 8;
		break;
	case FREC_WIRE_FIXED32:
		length = 4;
		break;
	case FREC_WIRE_LENGTH_DELIMITED:
		if (!take_varint(p, end, &length))
			return false;
		break;
	default:
		return false;
	}
	if (length > (size_t)(end - *p))
		return false;
	ret->data = *p;
	ret->size = (size_t)length;
	*p += length;
	return true;
}

static enum frec_wire_type wire_type_of(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return FREC_WIRE_FIXED64;
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		return FREC_WIRE_FIXED32;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return FREC_WIRE_LENGTH_DELIMITED;
	default:
		return FREC_WIRE_VARINT;
	}
}

static bool check_packed(struct walk *walk, ProtobufCType element, const uint8_t *p, size_t size)
{
	enum frec_wire_type type = wire_type_of(element);
	const uint8_t *end = p + size;
	uint64_t value;

	if (type == FREC_WIRE_FIXED64 || type == FREC_WIRE_FIXED32) {
		walk->memory += size;
		return size % (type == FREC_WIRE_FIXED64 ? 8 : 4) == 0;
	}
	while (p < end) {
		walk->memory += element_size(element);
		if (!walk->items_left || !--walk->items_left || !take_varint(&p, end, &value))
			return false;
	}
	return true;
}

static bool check_message(struct walk *walk, const ProtobufCMessageDescriptor *descriptor,
			  const uint8_t *p, size_t size, unsigned int depth)
{
	const uint8_t *end = p + size;
	uint64_t messages_seen = 0; // a bit for each field number; those of the schema are below 64

	if (depth > DEPTH_MAX)
		return false;
	walk->memory += descriptor->sizeof_message + ALLOCATION;
	while (p < end) {
		const ProtobufCFieldDescriptor *field;
		struct frec_wire_field found;

		if (!walk->items_left || !--walk->items_left || !frec__wire_next(&p, end, &found))
			return false;
		field = protobuf_c_message_descriptor_get_field(descriptor, found.number);
		if (!field)
			walk->memory += sizeof(ProtobufCMessageUnknownField) + ALLOCATION;
		else if (field->label == PROTOBUF_C_LABEL_REPEATED)
			walk->memory += element_size(field->type);
		if (!field || field->type == PROTOBUF_C_TYPE_STRING ||
		    field->type == PROTOBUF_C_TYPE_BYTES)
			walk->memory += found.size + ALLOCATION;
		if (field && found.type == FREC_WIRE_LENGTH_DELIMITED &&
		    wire_type_of(field->type) != found.type) {
			if (field->label != PROTOBUF_C_LABEL_REPEATED ||
			    !check_packed(walk, field->type, found.data, found.size))
				return false;
		} else if (field && wire_type_of(field->type) != found.type) {
			return false;
		} else if (field && field->type == PROTOBUF_C_TYPE_MESSAGE) {
			uint64_t bit = 1ull << (field->id & 63);

			if (field->label != PROTOBUF_C_LABEL_REPEATED && (messages_seen & bit))
				return false;
			messages_seen |= bit;
			if (!check_message(walk, field->descriptor, found.data, found.size,
					   depth + 1))
				return false;
		}
	}
	return true;
}

int frec__wire_measure(const ProtobufCMessageDescriptor *descriptor, const uint8_t *data,
		       size_t size, uint64_t *ret_memory)
{
	struct walk walk = {.items_left = FREC_WIRE_ITEMS_MAX};

	if (!check_message(&walk, descriptor, data, size, 0))
		return -EBADMSG;
	*ret_memory = walk.memory;
	return 0;
}

int frec__wire_check(const ProtobufCMessageDescriptor *descriptor, const uint8_t *data, size_t size)
{
	uint64_t memory;

	return frec__wire_measure(descriptor, data, size, &memory);
}
