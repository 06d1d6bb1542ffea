/* SPDX-License-Identifier: MIT */
/* Bytes to which the makers of test files add one value after the other. A maker that runs out of
 * memory aborts. */
#ifndef FREC_TESTS_DATA_BYTE_BUFFER_H
#define FREC_TESTS_DATA_BYTE_BUFFER_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define REQUIRE(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

/* Starts as zeroes. Whoever holds it frees `data`. */
struct bytes {
	uint8_t *data;
	size_t size, capacity;
};

static inline void add(struct bytes *bytes, const void *data, size_t size)
{
	if (bytes->size + size > bytes->capacity) {
		bytes->capacity = 2 * (bytes->size + size);
		bytes->data = realloc(bytes->data, bytes->capacity);
		REQUIRE(bytes->data);
	}
	if (size)
		memcpy(bytes->data + bytes->size, data, size);
	bytes->size += size;
}

/* Adds the `size` lowest bytes of a number, the lowest one first. */
static inline void add_number(struct bytes *bytes, uint64_t value, size_t size)
{
	add(bytes, &value, size);
}

#endif
