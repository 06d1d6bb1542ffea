// SPDX-License-Identifier: MIT
// The names of the transports, and the choice between them.
#include "recorder/sources/transport.h"

#include <stdio.h>

const char *const frec__transport_names[] = {"auto", "user_events", "usdt", "shm"};

enum frec_transport frec__transport_choose(const struct frec_transport_facts *facts, char *ret_why,
					   size_t size)
{
	if (facts->self && !facts->whole_machine && !facts->memory_taken) {
		snprintf(ret_why, size, "only services themselves take the stacks of -e %s",
			 facts->self);
		return FREC_TRANSPORT_SHM;
	}
	if (facts->user_events) {
		snprintf(ret_why, size, "the kernel has user_events");
		return FREC_TRANSPORT_USER_EVENTS;
	}
	if (!facts->kernel) {
		snprintf(ret_why, size, "it needs no right to watch the kernel");
		return FREC_TRANSPORT_SHM;
	}
	if (facts->whole_machine) {
		snprintf(
			ret_why, size,
			"the kernel has no user_events, and a recorder of the whole machine cannot "
			"hand memory to every program");
		return FREC_TRANSPORT_USDT;
	}
	if (facts->stacks) {
		snprintf(ret_why, size,
			 "the kernel has no user_events, and only the kernel takes the stacks of "
			 "-e %s",
			 facts->stacks);
		return FREC_TRANSPORT_USDT;
	}
	if (facts->memory_taken) {
		snprintf(ret_why, size,
			 "the kernel has no user_events, and the service writes into the memory of "
			 "another recorder already");
		return FREC_TRANSPORT_USDT;
	}
	snprintf(ret_why, size,
		 "the kernel has no user_events, and memory costs a service less than breakpoints");
	return FREC_TRANSPORT_SHM;
}
