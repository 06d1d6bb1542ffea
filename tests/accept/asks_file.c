// SPDX-License-Identifier: MIT
// Asks for an event that another file emits.
#include "asks.h"

bool asked_by_file(void)
{
	return frec_asks_work_enabled();
}
