// SPDX-License-Identifier: MIT
// The parts of a .frec file: length-delimited protobuf fields that end in a checksum.
#include "proto/part.h"

#include <errno.h>
#include <stdlib.h>

#include "proto/crc32c.h"

#define WIRE_LENGTH_DELIMITED 2
#define CHECKSUM_TAG 0x7d /* field 15, fixed32 */

static size_t varint_put(uint8_t *out, uint64_t value)
{
	size_t n = 0;

	while (value >= 0x80) {
		out[n++] = (uint8_t)value | 0x80;
		value >>= 7;
	}
	out[n++] = (uint8_t)value;
	return n;
}

// Returns the number of bytes read; 0 if the data ends first; -1 if the varint is longer than that
// of any 64-bit value.
static int varint_get(const uint8_t *data, size_t size, uint64_t *ret)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < 10; i++) {
		if (i == size)
			return 0;
		value |= (uint64_t)(data[i] & 0x7f) << (7 * i);
		if (!(data[i] & 0x80)) {
			*ret = value;
			return (int)i + 1;
		}
	}
	return -1;
}

int frec__part_pack(enum frec_part part, const ProtobufCMessage *message, uint8_t **ret_data,
		    size_t *ret_size)
{
	size_t body = protobuf_c_message_get_packed_size(message);
	uint8_t *data;
	size_t head, tag;
	uint32_t crc;

	if (body > FREC_PART_SIZE_MAX - FREC_PART_CHECKSUM_SIZE)
		return -E2BIG;
	data = malloc(FREC_PART_HEAD_MAX + body + FREC_PART_CHECKSUM_SIZE);
	if (!data)
		return -ENOMEM;
	tag = varint_put(data, (uint64_t)part << 3 | WIRE_LENGTH_DELIMITED);
	head = tag + varint_put(data + tag, body + FREC_PART_CHECKSUM_SIZE);
	protobuf_c_message_pack(message, data + head);
	crc = frec__crc32c(frec__crc32c(0, data, tag), data + head, body);
	data[head + body] = CHECKSUM_TAG;
	for (int i = 0; i < 4; i++)
		data[head + body + 1 + i] = (uint8_t)(crc >> (8 * i));
	*ret_data = data;
	*ret_size = head + body + FREC_PART_CHECKSUM_SIZE;
	return 0;
}

int frec__part_next(const uint8_t *data, size_t size, struct frec_part_view *ret)
{
	struct frec_part_view view;
	uint64_t tag, length;
	size_t head;
	uint32_t crc = 0;
	int n, tag_size;

	ret->size = 0;
	n = varint_get(data, size, &tag);
	if (n <= 0)
		return n ? -EBADMSG : -EAGAIN;
	head = (size_t)n;
	tag_size = n;
	if ((tag & 7) != WIRE_LENGTH_DELIMITED || !(tag >> 3) || tag >> 3 > UINT32_MAX >> 3)
		return -EBADMSG;
	n = varint_get(data + head, size - head, &length);
	if (n <= 0)
		return n ? -EBADMSG : -EAGAIN;
	head += (size_t)n;
	if (length < FREC_PART_CHECKSUM_SIZE || length > FREC_PART_SIZE_MAX)
		return -EBADMSG;
	if (length > size - head) {
		ret->size = head + length;
		return -EAGAIN;
	}

	view.field = (uint32_t)(tag >> 3);
	view.body = data + head;
	view.body_size = length - FREC_PART_CHECKSUM_SIZE;
	view.size = head + length;
	if (view.body[view.body_size] != CHECKSUM_TAG)
		return -EBADMSG;
	for (int i = 0; i < 4; i++)
		crc |= (uint32_t)view.body[view.body_size + 1 + i] << (8 * i);
	view.crc = frec__crc32c(frec__crc32c(0, data, (size_t)tag_size), view.body, view.body_size);
	*ret = view;
	return crc == view.crc ? 0 : -EILSEQ;
}
