/* SPDX-License-Identifier: MIT */
/*
 * The two events that tests/bench/services adds to each request of nginx and memcached. They are
 * emitted by flightrec if WITH_FLIGHTREC is defined, by LTTng-UST if WITH_LTTNG is, with the same
 * values. These services keep a text as a pointer and a length, from which LTTng makes a sequence.
 * For flightrec's strings, which end with NUL, the text is copied first.
 */
#ifndef FREC_TESTS_BENCH_SERVICES_EVENTS_H
#define FREC_TESTS_BENCH_SERVICES_EVENTS_H

#include <stdint.h>
#include <string.h>

struct service_text {
	const char *text;
	size_t size;
};

#if defined(WITH_FLIGHTREC)
#include <flightrec/event.h>

/* Longer texts are cut. */
#define SERVICE_TEXT_MAX 256

FREC_EVENT(service, request_start, FREC_U64(id), FREC_STR(method), FREC_STR(uri));
FREC_EVENT(service, request_done, FREC_U64(id), FREC_STR(method), FREC_STR(uri), FREC_U32(status),
	   FREC_U64(latency_ms));

static inline const char *service_terminated(struct service_text text, char *room)
{
	size_t size = text.size < SERVICE_TEXT_MAX ? text.size : SERVICE_TEXT_MAX - 1;

	memcpy(room, text.text, size);
	room[size] = '\0';
	return room;
}

static inline void service_start(uint64_t id, struct service_text method, struct service_text uri)
{
	char rooms[2][SERVICE_TEXT_MAX];

	if (frec_service_request_start_enabled())
		frec_service_request_start(id, service_terminated(method, rooms[0]),
					   service_terminated(uri, rooms[1]));
}

static inline void service_done(uint64_t id, struct service_text method, struct service_text uri,
				uint32_t status, uint64_t latency)
{
	char rooms[2][SERVICE_TEXT_MAX];

	if (frec_service_request_done_enabled())
		frec_service_request_done(id, service_terminated(method, rooms[0]),
					  service_terminated(uri, rooms[1]), status, latency);
}

#elif defined(WITH_LTTNG)
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "services_lttng.h"

static inline void service_start(uint64_t id, struct service_text method, struct service_text uri)
{
	lttng_ust_tracepoint(service, request_start, id, method.text, method.size, uri.text,
			     uri.size);
}

static inline void service_done(uint64_t id, struct service_text method, struct service_text uri,
				uint32_t status, uint64_t latency)
{
	lttng_ust_tracepoint(service, request_done, id, method.text, method.size, uri.text,
			     uri.size, status, latency);
}
#endif

#endif
