// SPDX-License-Identifier: MIT
// Asks whether an event is on that another file emits, in C++ and within a template.
#include "asks.h"

template <typename type> static bool ask(type)
{
	return frec_asks_work_enabled();
}

bool asked_by_cxx(void)
{
	return ask(1) && ask('a');
}
