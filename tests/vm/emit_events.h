/* SPDX-License-Identifier: MIT */
/* Events of the emit test, declared by the program and by the library that it loads. */
#ifndef EMIT_EVENTS_H
#define EMIT_EVENTS_H

#include <flightrec/event.h>

FREC_EVENT(vm, both, FREC_STR(from));

#endif
