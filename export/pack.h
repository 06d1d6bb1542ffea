/* SPDX-License-Identifier: MIT */
/*
 * Protobuf written in one pass, front to back, into memory whose size was bounded before: for
 * messages of which there are millions, where protobuf-c's two walks over structures are what
 * limits. Every function returns where to go on. What is written is what protobuf-c would write,
 * byte for byte, when the fields come in the order of their numbers.
 */
#ifndef FREC_EXPORT_PACK_H
#define FREC_EXPORT_PACK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

/* As memcpy(3). Most texts are short: a call would take longer than the copy. Both ends are copied, and may overlap. */
static inline void frec__pack_copy(void *to, const void *from, size_t size)
{
	const uint8_t *source = from;
	uint8_t *target = to;
	uint64_t first, last;

	if (size > 16) {
		memcpy(target, source, size);
	} else if (size >= 8) {
		memcpy(&first, source, 8);
		memcpy(&last, source + size - 8, 8);
		memcpy(target, &first, 8);
		memcpy(target + size - 8, &last, 8);
	} else if (size >= 4) {
		memcpy(&first, source, 4);
		memcpy(&last, source + size - 4, 4);
		memcpy(target, &first, 4);
		memcpy(target + size - 4, &last, 4);
	} else {
		for (size_t i = 0; i < size; i++)
			target[i] = source[i];
	}
}

static inline uint8_t *frec__pack_bytes(uint8_t *p, uint32_t field, const void *data, size_t size)
{
	p = frec__pack_varint(p, field << 3 | 2);
	p = frec__pack_varint(p, size);
	frec__pack_copy(p, data, size);
	return p + size;
}

/* Begins a message within the message: what it returns is where its contents go, and what
 * frec__pack_end takes as `start`. */
static inline uint8_t *frec__pack_begin(uint8_t *p, uint32_t field)
{
	return frec__pack_varint(p, field << 3 | 2) + 1;
}

/* Ends it. Most are shorter than 128 bytes, and room for such a length was left; those that are not
 * move up a little. */
static inline uint8_t *frec__pack_end(uint8_t *start, uint8_t *p)
{
	size_t size = (size_t)(p - start);
	uint8_t length[FREC_PACK_VARINT_MAX];
	size_t more;

	if (size < 0x80) {
		start[-1] = (uint8_t)size;
		return p;
	}
	more = (size_t)(frec__pack_varint(length, size) - length) - 1;
	memmove(start + more, start, size);
	memcpy(start - 1, length, more + 1);
	return p + more;
}

#endif
