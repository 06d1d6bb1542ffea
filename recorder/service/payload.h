/* SPDX-License-Identifier: MIT */
/* Turning the fields that an emit function gathered into a payload that can be written. */
#ifndef FREC_RECORDER_SERVICE_PAYLOAD_H
#define FREC_RECORDER_SERVICE_PAYLOAD_H

#include <stdbool.h>

#include "flightrec/event.h"

/* Whether `place`, one of the `places` of frec__emit(), belongs to a byte array, or to a text of
 * known length. It belongs to a string if neither is true. */
static inline bool frec__is_bytes(uint16_t place)
{
	return place & FREC__BYTES_FLAG;
}

static inline bool frec__is_text(uint16_t place)
{
	return place & FREC__TEXT_FLAG;
}

/* Whether a text ends in a NUL of its own: see payload.c. */
static inline bool frec__ends_in_nul(const struct iovec *text)
{
	return text->iov_len && !((const char *)text->iov_base)[text->iov_len - 1];
}

/* A payload ready for writev(2): the first `count` elements of the vector that frec__emit() got. */
struct frec__payload {
	int count;
	size_t size; /* bytes of the payload, without the index in front of it */
	bool cut;
};

/*
 * Turns the vector of frec__emit() into a payload: writes the locators into the fixed part and cuts
 * strings and texts until they fit. Returns 0, or -E2BIG if the payload is too large even with them
 * cut, or -EFAULT if a text changed meanwhile and does not fit any more; then only `ret->size` is
 * valid. Async-signal-safe.
 */
int frec__payload_build(struct iovec *vector, const uint16_t *places, struct frec__payload *ret);

#endif
