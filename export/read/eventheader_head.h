/* SPDX-License-Identifier: MIT */
/* The head of an EventHeader payload: the header and its extensions, without the fields. */
#ifndef FREC_EXPORT_READ_EVENTHEADER_HEAD_H
#define FREC_EXPORT_READ_EVENTHEADER_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/bytes.h"

/* The header and its extensions, parsed. */
struct frec_eventheader_head {
	uint8_t flags, version, opcode, level;
	uint16_t id, tag;
	const uint8_t *metadata; /* the description, or NULL */
	size_t metadata_size;
	const uint8_t *activity; /* this and the next: 16 bytes, or NULL */
	const uint8_t *related;
	struct frec_bytes data; /* the fields */
};

/* Parses the head. Returns false if it is damaged. */
bool frec__eventheader_head(const uint8_t *payload, size_t size, struct frec_eventheader_head *ret);

/* Returns whether a header with these flags has big-endian numbers. */
static inline bool frec__eventheader_big(uint8_t flags)
{
	return !(flags & 2);
}

/* Reads a number of up to 8 bytes in the given byte order. */
uint64_t frec__eventheader_number(const uint8_t *data, size_t size, bool big);

#endif
