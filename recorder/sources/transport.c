// SPDX-License-Identifier: MIT
// The names of the transports.
#include "recorder/sources/transport.h"

const char *const frec__transport_names[] = {"auto", "user_events", "usdt", "shm"};
