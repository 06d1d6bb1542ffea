/* SPDX-License-Identifier: MIT */
/*
 * Arrays that grow by one element at a time. They need no member for their capacity, because they
 * double when their count is a power of two:
 *
 *	if (!frec__grow(&things, count, sizeof(*things)))
 *		return -ENOMEM;
 *	things[count++] = thing;
 *
 * The count may shrink at any time. An array that was allocated otherwise must have room for its
 * count rounded up to a power of two.
 */
#ifndef FREC_PROTO_GROW_H
#define FREC_PROTO_GROW_H

#include <stdbool.h>
#include <stdlib.h>

/* Makes room for one more element after `count` elements of `size` bytes. `array` is the address of
 * the pointer to the first. Returns false if memory runs out; the array is then unchanged. */
static inline bool frec__grow(void *array, size_t count, size_t size)
{
	void **at = array;
	void *grown;

	if (count & (count - 1))
		return true;
	grown = reallocarray(*at, count ? 2 * count : 1, size);
	if (grown)
		*at = grown;
	return grown;
}

#endif
