// SPDX-License-Identifier: MIT
// Asks whether an event is on that another file emits.
#include "asks.h"

bool asked_by_file(void)
{
	return frec_asks_work_enabled();
}
