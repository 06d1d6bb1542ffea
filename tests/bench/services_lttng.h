/* SPDX-License-Identifier: MIT */
/* LTTng-UST's declaration of the events of services_events.h. LTTng's headers include this file
 * several times. */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER service

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "services_lttng.h"

#if !defined(FREC_TESTS_BENCH_SERVICES_LTTNG_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define FREC_TESTS_BENCH_SERVICES_LTTNG_H

#include <lttng/tracepoint.h>
#include <stddef.h>
#include <stdint.h>

LTTNG_UST_TRACEPOINT_EVENT(
	service, request_start,
	LTTNG_UST_TP_ARGS(uint64_t, id, const char *, method, size_t, method_size, const char *,
			  uri, size_t, uri_size),
	LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(uint64_t, id, id) lttng_ust_field_sequence_text(
		char, method, method, uint16_t,
		method_size) lttng_ust_field_sequence_text(char, uri, uri, uint16_t, uri_size)))

LTTNG_UST_TRACEPOINT_EVENT(
	service, request_done,
	LTTNG_UST_TP_ARGS(uint64_t, id, const char *, method, size_t, method_size, const char *,
			  uri, size_t, uri_size, uint32_t, status, uint64_t, latency),
	LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(uint64_t, id, id) lttng_ust_field_sequence_text(
		char, method, method, uint16_t,
		method_size) lttng_ust_field_sequence_text(char, uri, uri, uint16_t, uri_size)
				    lttng_ust_field_integer(uint32_t, status, status)
					    lttng_ust_field_integer(uint64_t, latency_ms, latency)))

#endif

#include <lttng/tracepoint-event.h>
