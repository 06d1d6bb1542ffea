// SPDX-License-Identifier: MIT
// The names of the transports, for options and messages.
#include "recorder/sources/transport.h"

const char *const frec__transport_names[] = {
	[FREC_TRANSPORT_AUTO] = "auto",
	[FREC_TRANSPORT_USER_EVENTS] = "user_events",
	[FREC_TRANSPORT_USDT] = "usdt",
	[FREC_TRANSPORT_SHM] = "shm",
};
