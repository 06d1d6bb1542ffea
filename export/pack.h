/* SPDX-License-Identifier: MIT */
/*
 * Writes protobuf in one pass, front to back, into memory that the caller knows to be large enough.
 * This is for messages of which there are millions: protobuf-c walks over structures twice, which
 * would be the bottleneck. Every function returns where to continue. If the fields are written in
 * the order of their numbers, the result is the same as protobuf-c's, byte for byte.
 */
#ifndef FREC_EXPORT_PACK_H
#define FREC_EXPORT_PACK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "export/read/short_bytes.h"
#include "export/read/text.h"

#define FREC_PACK_VARINT_MAX 10

static inline uint8_t *frec__pack_varint(uint8_t *p, uint64_t value)
{
	while (value >= 0x80) {
		*p++ = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	*p++ = (uint8_t)value;
	return p;
}

static inline uint8_t *frec__pack_number(uint8_t *p, uint32_t field, uint64_t value)
{
	p = frec__pack_varint(p, field << 3);
	return frec__pack_varint(p, value);
}

static inline uint8_t *frec__pack_double(uint8_t *p, uint32_t field, double value)
{
	p = frec__pack_varint(p, field << 3 | 1);
	memcpy(p, &value, sizeof(value));
	return p + sizeof(value);
}

static inline uint8_t *frec__pack_bytes(uint8_t *p, uint32_t field, const void *data, size_t size)
{
	p = frec__pack_varint(p, field << 3 | 2);
	p = frec__pack_varint(p, size);
	frec__copy_short(p, data, size);
	return p + size;
}

/* Packs text as valid UTF-8, followed by `end`. This fills at most four times `size` bytes, plus
 * those of `end` and of the field's number and length. If memory for `scratch` runs out, sets its
 * `failed`. */
static inline uint8_t *frec__pack_text(uint8_t *p, uint32_t field, const void *data, size_t size,
				       const char *end, struct frec_text *scratch)
{
	if (!*end && frec__bytes_are_plain(data, size, frec__not_ascii_text))
		return frec__pack_bytes(p, field, data, size);
	frec__text_clear(scratch);
	frec__text_utf8(scratch, data, size);
	frec__text_puts(scratch, end);
	return frec__pack_bytes(p, field, scratch->data, scratch->size);
}

/* Begins a nested message. Returns where its contents go; pass this pointer to frec__pack_end_sized
 * as `start`. `length_size` is how many bytes the message's length is expected to take. */
static inline uint8_t *frec__pack_begin_sized(uint8_t *p, uint32_t field, size_t length_size)
{
	return frec__pack_varint(p, field << 3 | 2) + length_size;
}

/* Ends a nested message, and moves its contents slightly if its length takes more or fewer bytes
 * than the expected *length_size. Sets *length_size to how many the length took, the best guess for
 * the next message of this kind. Returns where to continue. */
static inline uint8_t *frec__pack_end_sized(uint8_t *start, uint8_t *p, size_t *length_size)
{
	size_t size = (size_t)(p - start), expected = *length_size;
	uint8_t length[FREC_PACK_VARINT_MAX];

	*length_size = (size_t)(frec__pack_varint(length, size) - length);
	if (*length_size != expected)
		memmove(start + *length_size - expected, start, size);
	start -= expected;
	for (size_t i = 0; i < *length_size; i++)
		start[i] = length[i];
	return start + *length_size + size;
}

/* Begin and end a nested message of a kind that is mostly shorter than 128 bytes, so that the
 * length mostly takes one byte. */
static inline uint8_t *frec__pack_begin(uint8_t *p, uint32_t field)
{
	return frec__pack_begin_sized(p, field, 1);
}

static inline uint8_t *frec__pack_end(uint8_t *start, uint8_t *p)
{
	size_t size = (size_t)(p - start), expected = 1;

	if (size >= 0x80)
		return frec__pack_end_sized(start, p, &expected);
	start[-1] = (uint8_t)size;
	return p;
}

#endif
