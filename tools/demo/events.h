/* SPDX-License-Identifier: MIT */
/* The events of shopd. Each FREC_EVENT declares an event and the function that emits it. */
#ifndef SHOPD_EVENTS_H
#define SHOPD_EVENTS_H

#include <flightrec/event.h>

enum payment_result { PAYMENT_ACCEPTED, PAYMENT_DECLINED };

/* clang-format off */
FREC_EVENT(shop, request_done,
	FREC_U64(order_id), FREC_STR(path), FREC_I32(status), FREC_U64(latency_ns));
FREC_EVENT(shop, item_added,
	FREC_U64(order_id), FREC_STR(sku), FREC_U32(quantity), FREC_U32(stock), FREC_F64(price));
FREC_EVENT(shop, payment_done,
	FREC_U64(order_id), FREC_U64(cents), FREC_ENUM(result, PAYMENT_ACCEPTED, PAYMENT_DECLINED),
	FREC_U64(latency_ns));
FREC_EVENT(shop, restocked, FREC_STR(sku), FREC_U32(quantity));
FREC_EVENT(shop, step, FREC_U32(thread), FREC_U64(sequence));
/* clang-format on */

#endif
