/* SPDX-License-Identifier: MIT */
/*
 * Reading bytes that nobody vouches for, little-endian. A read beyond the end gives 0 and makes the
 * cursor `failed`, which stays; so a parser looks at it once, at its end.
 */
#ifndef FREC_UNWIND_CURSOR_H
#define FREC_UNWIND_CURSOR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct frec_cursor {
	const uint8_t *at, *end;
	bool failed;
};

static inline const uint8_t *frec__cursor_bytes(struct frec_cursor *cursor, uint64_t size)
{
	const uint8_t *bytes = cursor->at;

	if (size > (uint64_t)(cursor->end - cursor->at)) {
		cursor->failed = true;
		cursor->at = cursor->end;
		return NULL;
	}
	cursor->at += size;
	return bytes;
}

/* `size` is at most 8. */
static inline uint64_t frec__cursor_unsigned(struct frec_cursor *cursor, unsigned int size)
{
	const uint8_t *bytes = frec__cursor_bytes(cursor, size);
	uint64_t value = 0;

	if (bytes)
		memcpy(&value, bytes, size);
	return value;
}

static inline int64_t frec__cursor_signed(struct frec_cursor *cursor, unsigned int size)
{
	unsigned int unused = 64 - 8 * size;

	return (int64_t)(frec__cursor_unsigned(cursor, size) << unused) >> unused;
}

static inline uint64_t frec__cursor_uleb(struct frec_cursor *cursor)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; cursor->at < cursor->end; shift += 7) {
		uint8_t byte = *cursor->at++;

		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	cursor->failed = true;
	return 0;
}

static inline int64_t frec__cursor_sleb(struct frec_cursor *cursor)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; cursor->at < cursor->end; shift += 7) {
		uint8_t byte = *cursor->at++;

		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			if (byte & 0x40 && shift + 7 < 64)
				value |= UINT64_MAX << (shift + 7);
			return (int64_t)value;
		}
	}
	cursor->failed = true;
	return 0;
}

#endif
