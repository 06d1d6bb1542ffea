/* SPDX-License-Identifier: MIT */
/* Payloads that an emit function cannot complete by itself, because a string or text is NULL or has
 * to be cut, because a text ends in a NUL of its own, or because something cannot be read. */
#ifndef FREC_RECORDER_SERVICE_PAYLOAD_H
#define FREC_RECORDER_SERVICE_PAYLOAD_H

#include <stdbool.h>

#include "flightrec/event.h"

/* Return whether `place`, an element of the `shape` of an event, belongs to a byte array, or to a
 * text of known length. It belongs to a string if neither function returns true. */
static inline bool frec__is_bytes(uint16_t place)
{
	return place & FREC__BYTES_FLAG;
}

static inline bool frec__is_text(uint16_t place)
{
	return place & FREC__TEXT_FLAG;
}

/* Returns whether a text ends in a NUL of its own: see payload.c. */
static inline bool frec__ends_in_nul(const struct iovec *text)
{
	return text->iov_len && !((const char *)text->iov_base)[text->iov_len - 1];
}

/* A payload that is ready for writev(2), in the first `count` elements of a vector. */
struct frec__payload {
	int count;
	size_t size; /* bytes of the payload, without the index in front of it */
	bool cut;
};

/*
 * Makes a payload of a fixed part and n pieces of data: writes the locators into the fixed part and
 * cuts strings and texts until they fit. `vector` has the fixed part, n elements of workspace, then
 * the pieces; the size of a string, but not of a text, includes its NUL, and exceeds
 * FREC_PAYLOAD_MAX if the string is longer than that. `places` is as for frec__emit(). Returns 0,
 * or -E2BIG if the payload is too large even with the strings cut, or -EFAULT if a piece is at an
 * address where nothing can be read (readable.h) or changed meanwhile; after an error only
 * `ret->size` is valid. Async-signal-safe.
 */
int frec__payload_build(struct iovec *vector, const uint16_t *places, struct frec__payload *ret);

#endif
