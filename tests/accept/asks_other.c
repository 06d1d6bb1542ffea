// SPDX-License-Identifier: MIT
// Asks whether an event is on that has the name, but not the fields, of an event that another file
// emits.
#include <flightrec/event.h>

FREC_EVENT(asks, work, FREC_STR(why), FREC_F64(ratio));

bool asked_by_other_fields(void);
bool asked_by_other_fields(void)
{
	return frec_asks_work_enabled();
}
