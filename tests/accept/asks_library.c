// SPDX-License-Identifier: MIT
// Asks, in a shared library, whether an event is on that the program emits.
#include "asks.h"

__attribute__((visibility("default"))) bool asked_by_library(void)
{
	return frec_asks_work_enabled();
}
