/* SPDX-License-Identifier: MIT */
/* A cursor over bytes that others wrote: what is not there is 0, and then everything behind it has
 * failed too. Numbers are little-endian, as all machines that record. */
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

static inline struct frec_bytes frec__bytes(const void *data, size_t size)
{
	return (struct frec_bytes){data, (const uint8_t *)data + size, false};
}

static inline size_t frec__bytes_left(const struct frec_bytes *bytes)
{
	return bytes->failed ? 0 : (size_t)(bytes->end - bytes->at);
}

/* The next `size` bytes, or NULL. */
static inline const uint8_t *frec__bytes_take(struct frec_bytes *bytes, uint64_t size)
{
	const uint8_t *p = bytes->at;

	if (bytes->failed || size > (uint64_t)(bytes->end - bytes->at)) {
		bytes->failed = true;
		return NULL;
	}
	bytes->at += size;
	return p;
}

static inline uint64_t frec__bytes_number(struct frec_bytes *bytes, size_t size)
{
	const uint8_t *p = frec__bytes_take(bytes, size);
	uint64_t value = 0;

	if (p)
		memcpy(&value, p, size);
	return value;
}

static inline uint32_t frec__bytes_u32(struct frec_bytes *bytes)
{
	return (uint32_t)frec__bytes_number(bytes, 4);
}

static inline uint64_t frec__bytes_u64(struct frec_bytes *bytes)
{
	return frec__bytes_number(bytes, 8);
}

/* `count` things of `size` bytes each, or NULL. */
static inline const uint8_t *frec__bytes_array(struct frec_bytes *bytes, uint64_t count,
					       size_t size)
{
	if (count > frec__bytes_left(bytes) / size) {
		bytes->failed = true;
		return NULL;
	}
	return frec__bytes_take(bytes, count * size);
}

/* A text up to its NUL, which is passed over, or NULL. */
static inline const char *frec__bytes_text(struct frec_bytes *bytes)
{
	const uint8_t *end =
		bytes->failed ? NULL : memchr(bytes->at, 0, (size_t)(bytes->end - bytes->at));

	if (!end) {
		bytes->failed = true;
		return NULL;
	}
	return (const char *)frec__bytes_take(bytes, (uint64_t)(end - bytes->at) + 1);
}

#endif
