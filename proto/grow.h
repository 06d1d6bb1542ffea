/* SPDX-License-Identifier: MIT */
/* Arrays that grow one by one, without a number for their room: they double when their count is a
 * power of two. */
#ifndef FREC_PROTO_GROW_H
#define FREC_PROTO_GROW_H

#include <stdbool.h>
#include <stdlib.h>

/* Room for one more behind `count` of `size` bytes each; `array` is the address of the pointer to
 * them. False: no memory. */
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
