// SPDX-License-Identifier: MIT
// Parses what comes before the fields of an EventHeader payload: the header and its extensions.
#include "export/read/eventheader_head.h"

#define COMMON_SIZE 8 // fields that every tracepoint has, before the header
#define HEADER_SIZE 8
#define EXTENSIONS_MAX 64
#define HAS_EXTENSION 4
#define KIND_METADATA 1
#define KIND_ACTIVITY 2
#define KIND_CHAIN 0x8000

uint64_t frec__eventheader_number(const uint8_t *data, size_t size, bool big)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value |= (uint64_t)data[i] << 8 * (big ? size - 1 - i : i);
	return value;
}

bool frec__eventheader_head(const uint8_t *payload, size_t size, struct frec_eventheader_head *ret)
{
	struct frec_bytes bytes = frec__bytes(payload, size);
	const uint8_t *header;
	bool big, more;

	*ret = (struct frec_eventheader_head){0};
	frec__bytes_take(&bytes, COMMON_SIZE);
	header = frec__bytes_take(&bytes, HEADER_SIZE);
	if (!header)
		return false;
	ret->flags = header[0];
	ret->version = header[1];
	big = frec__eventheader_big(ret->flags);
	ret->id = (uint16_t)frec__eventheader_number(header + 2, 2, big);
	ret->tag = (uint16_t)frec__eventheader_number(header + 4, 2, big);
	ret->opcode = header[6];
	ret->level = header[7];
	more = ret->flags & HAS_EXTENSION;
	for (int i = 0; more && i < EXTENSIONS_MAX; i++) {
		const uint8_t *extension = frec__bytes_take(&bytes, 4), *body;
		size_t length, kind;

		if (!extension)
			return false;
		length = frec__eventheader_number(extension, 2, big);
		kind = frec__eventheader_number(extension + 2, 2, big);
		body = frec__bytes_take(&bytes, length);
		if (!body)
			return false;
		if ((kind & ~KIND_CHAIN) == KIND_METADATA && !ret->metadata) {
			ret->metadata = body;
			ret->metadata_size = length;
		} else if ((kind & ~KIND_CHAIN) == KIND_ACTIVITY && length >= 16) {
			ret->activity = body;
			ret->related = length >= 32 ? body + 16 : NULL;
		}
		more = kind & KIND_CHAIN;
	}
	ret->data = bytes;
	return !more;
}
