/* SPDX-License-Identifier: MIT */
/* What the two halves of libflightrec share: emitting, and registering what is emitted. */
#ifndef FREC_RECORDER_SERVICE_EMIT_H
#define FREC_RECORDER_SERVICE_EMIT_H

#include <stdbool.h>

#include "flightrec/event.h"

/* The opened user_events_data, -1 where there is none. Set by registration.c; emit.c only ever
 * takes a dead one away. */
extern int frec__fd;

/* What frec_stats_read tells, but for the size. Each is only ever added to, relaxed: no other data
 * depends on it. */
extern struct frec_stats frec__counts;

/* Whether one of the `places` of frec__emit is of a byte array, and not of a string. */
static inline bool frec__is_bytes(uint16_t place)
{
	return place & FREC__BYTES_FLAG;
}

/* A payload ready for writev(2): the first `count` elements of the vector. */
struct frec__payload {
	int count;
	size_t size; /* without the index in front */
	bool cut;
};

/*
 * Turns the vector of frec__emit into a payload: sets the locators in the fixed part, cuts strings
 * to fit. Returns 0 or -E2BIG, when `size` alone of `ret` is set. Async-signal-safe.
 */
int frec__payload_build(struct iovec *vector, const uint16_t *places, struct frec__payload *ret);

/*
 * What perf puts in front of a tracepoint's payload: number, flags, preemption count, thread.
 * Records of the other transports begin with it too, so that one layout of fields holds for all.
 */
#define FREC__COMMON_SIZE 8

#endif
