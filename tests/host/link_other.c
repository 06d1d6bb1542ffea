/* SPDX-License-Identifier: MIT */
/* Declares events and emits none; they must be in the binary nevertheless. It asks whether one of
 * them is on, which must therefore have a site. Another one has the same name as an event of the
 * other source file, but other fields. */
#include <flightrec/event.h>

enum { LINK_ONE = 1, LINK_TWO = 2 };
#include "link_event.h"

FREC_EVENT(link, used, FREC_STR(words));
FREC_EVENT(link, unused, FREC_CHARS(tag, 16), FREC_F32(ratio));

#ifdef __cplusplus
extern "C"
#endif
	int
	link_other(void);

int link_other(void)
{
	return frec_link_unused_enabled() ? 4 : 0;
}
