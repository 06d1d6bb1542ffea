/* SPDX-License-Identifier: MIT */
/* LTTng-UST's declaration of the event of bench_emit.c. LTTng's headers include this file several
 * times. */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER bench

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "tests/bench/bench_lttng_events.h"

#if !defined(FREC_TESTS_BENCH_LTTNG_EVENTS_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define FREC_TESTS_BENCH_LTTNG_EVENTS_H

#include <lttng/tracepoint.h>
#include <stdint.h>

LTTNG_UST_TRACEPOINT_EVENT(
	bench, order,
	LTTNG_UST_TP_ARGS(uint64_t, id, const char *, path, int32_t, status, double, price),
	LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(uint64_t, id, id)
				    lttng_ust_field_string(path, path)
					    lttng_ust_field_integer(int32_t, status, status)
						    lttng_ust_field_float(double, price, price)))

#endif

#include <lttng/tracepoint-event.h>
