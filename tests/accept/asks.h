/* SPDX-License-Identifier: MIT */
/* An event that one file of a program emits; the others only ask whether it is on: see asks.c. */
#ifndef ASKS_H
#define ASKS_H

#include <flightrec/event.h>

FREC_EVENT(asks, work, FREC_U64(number), FREC_TEXT(what));

#ifdef __cplusplus
extern "C" {
#endif

bool asked_by_file(void);
bool asked_by_other_fields(void);
bool asked_by_cxx(void);
bool asked_by_library(void);

#ifdef __cplusplus
}
#endif

#endif
