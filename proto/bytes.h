/* SPDX-License-Identifier: MIT */
/*
 * A cursor over bytes that may be damaged or hostile. All parsing of binary data goes through such
 * a cursor. Numbers are little-endian, as on every machine that flightrec records.
 *
 * A read beyond the end fails: it returns 0 or NULL, moves the cursor to the end and sets `failed`.
 * After that every read fails, even one of 0 bytes. So a parser can read a whole structure and
 * check `failed` once, after the last read. The parser has to check earlier only before it
 * dereferences a pointer that the cursor returned, or loops up to a count that it read.
 */
#ifndef FREC_PROTO_BYTES_H
#define FREC_PROTO_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct frec_bytes {
	const uint8_t *at, *end;
	bool failed;
};

/* `data` may be NULL if `size` is 0. To add even 0 to NULL would be undefined. */
static inline struct frec_bytes frec__bytes(const void *data, size_t size)
{
	const uint8_t *at = data;

	return (struct frec_bytes){at, size ? at + size : at, false};
}

/* Makes the cursor fail as a read beyond the end does. A parser calls this when it meets a bad
 * value. */
static inline void frec__bytes_fail(struct frec_bytes *bytes)
{
	bytes->at = bytes->end;
	bytes->failed = true;
}

/* The number of bytes that are left; 0 after a failure. */
static inline size_t frec__bytes_left(const struct frec_bytes *bytes)
{
	return bytes->failed ? 0 : (size_t)(bytes->end - bytes->at);
}

/* A pointer to the next `size` bytes, which are not copied. NULL if fewer are left. */
static inline const uint8_t *frec__bytes_take(struct frec_bytes *bytes, uint64_t size)
{
	const uint8_t *p = bytes->at;

	if (bytes->failed || size > (uint64_t)(bytes->end - bytes->at)) {
		frec__bytes_fail(bytes);
		return NULL;
	}
	if (size)
		bytes->at += size;
	return p;
}

/* An unsigned number of `size` bytes, at most 8. */
static inline uint64_t frec__bytes_number(struct frec_bytes *bytes, size_t size)
{
	const uint8_t *p = frec__bytes_take(bytes, size);
	uint64_t value = 0;

	if (p)
		memcpy(&value, p, size);
	return value;
}

/* A signed number of `size` bytes, from 1 to 8. */
static inline int64_t frec__bytes_signed(struct frec_bytes *bytes, size_t size)
{
	size_t unused = 64 - 8 * size;

	return (int64_t)(frec__bytes_number(bytes, size) << unused) >> unused;
}

static inline uint32_t frec__bytes_u32(struct frec_bytes *bytes)
{
	return (uint32_t)frec__bytes_number(bytes, 4);
}

static inline uint64_t frec__bytes_u64(struct frec_bytes *bytes)
{
	return frec__bytes_number(bytes, 8);
}

/* An unsigned LEB128 number, the variable-length encoding of DWARF. Bits above the 64th are
 * dropped. */
static inline uint64_t frec__bytes_uleb(struct frec_bytes *bytes)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; bytes->at < bytes->end; shift += 7) {
		uint8_t byte = *bytes->at++;

		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	bytes->failed = true;
	return 0;
}

/* A signed LEB128 number. */
static inline int64_t frec__bytes_sleb(struct frec_bytes *bytes)
{
	uint64_t value = 0;

	for (unsigned int shift = 0; bytes->at < bytes->end; shift += 7) {
		uint8_t byte = *bytes->at++;

		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			if (byte & 0x40 && shift + 7 < 64)
				value |= UINT64_MAX << (shift + 7);
			return (int64_t)value;
		}
	}
	bytes->failed = true;
	return 0;
}

/* A pointer to an array of `count` elements of `size` bytes each. NULL if fewer are left. */
static inline const uint8_t *frec__bytes_array(struct frec_bytes *bytes, uint64_t count,
					       size_t size)
{
	if (count > frec__bytes_left(bytes) / size) {
		frec__bytes_fail(bytes);
		return NULL;
	}
	return frec__bytes_take(bytes, count * size);
}

/* A NUL-terminated string, or NULL if there is none. The cursor moves past the terminator. */
static inline const char *frec__bytes_text(struct frec_bytes *bytes)
{
	size_t left = frec__bytes_left(bytes);
	const uint8_t *end = left ? memchr(bytes->at, 0, left) : NULL;

	if (!end) {
		frec__bytes_fail(bytes);
		return NULL;
	}
	return (const char *)frec__bytes_take(bytes, (uint64_t)(end - bytes->at) + 1);
}

#endif
