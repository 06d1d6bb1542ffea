/* SPDX-License-Identifier: MIT */
/* Events that two source files declare through one header. */
#ifndef LINK_EVENT_H
#define LINK_EVENT_H

#include <flightrec/event.h>

FREC_EVENT(link, shared_header, FREC_STR(text), FREC_BYTES(raw),
	   FREC_ENUM(state, LINK_ONE, LINK_TWO));
FREC_EVENT(link, nothing);

#endif
