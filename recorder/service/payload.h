/* SPDX-License-Identifier: MIT */
/* Turning the fields that an emit function gathered into a payload that can be written. */
#ifndef FREC_RECORDER_SERVICE_PAYLOAD_H
#define FREC_RECORDER_SERVICE_PAYLOAD_H

#include <stdbool.h>

#include "flightrec/event.h"

/* Whether `place`, one of the `places` of frec__emit(), belongs to a byte array, and not to a
 * string. */
static inline bool frec__is_bytes(uint16_t place)
{
	return place & FREC__BYTES_FLAG;
}

/* A payload ready for writev(2): the first `count` elements of the vector that frec__emit() got. */
struct frec__payload {
	int count;
	size_t size; /* bytes of the payload, without the index in front of it */
	bool cut;
};

/*
 * Turns the vector of frec__emit() into a payload: writes the locators into the fixed part and cuts
 * strings until they fit. Returns 0, or -E2BIG if the payload is too large even with the strings
 * cut, or -EFAULT if a string or byte array is at an address where nothing can be read
 * (readable.h); then only `ret->size` is valid. Async-signal-safe.
 */
int frec__payload_build(struct iovec *vector, const uint16_t *places, struct frec__payload *ret);

#endif
