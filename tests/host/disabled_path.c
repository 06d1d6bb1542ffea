/* SPDX-License-Identifier: MIT */
/* Compiled and disassembled by tests/host/disabled-path. */
#include <flightrec/event.h>

FREC_EVENT(path, event, FREC_U64(number), FREC_STR(text));

uint64_t expensive(void);
void call_function(void);
void call_macro(void);

void call_function(void)
{
	frec_path_event(1, "text");
}

void call_macro(void)
{
	FREC_EMIT(path, event, expensive(), "text");
}
