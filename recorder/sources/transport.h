/* SPDX-License-Identifier: MIT */
/* The ways in which events of services reach a recorder, and the choice between them.
 * docs/decisions.md explains the order of preference. */
#ifndef FREC_RECORDER_SOURCES_TRANSPORT_H
#define FREC_RECORDER_SOURCES_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>

/* FREC_TRANSPORT_AUTO leaves the choice to frec__transport_choose(). */
enum frec_transport {
	FREC_TRANSPORT_AUTO,
	FREC_TRANSPORT_USER_EVENTS,
	FREC_TRANSPORT_USDT,
	FREC_TRANSPORT_SHM,
	FREC_TRANSPORT_COUNT
};

/* "auto", "user_events", ... */
extern const char *const frec__transport_names[FREC_TRANSPORT_COUNT];

/* What the choice depends on. */
struct frec_transport_facts {
	bool user_events;   /* the kernel has them, and this process may use them */
	bool kernel;	    /* this process has the right to watch the kernel */
	bool whole_machine; /* also records programs to which it cannot hand memory */
	bool memory_taken;  /* the service already writes into the memory of another recorder */
	const char *stacks; /* a selection that wants stacks with services' events; NULL: none */
	const char *self;   /* one that wants stacks that only services can take; NULL: none */
};

/*
 * Chooses the transport of a recorder for FREC_TRANSPORT_AUTO. Sets `ret_why` to one sentence,
 * without a full stop, that says why; the sentence is cut if it exceeds `size`. The chosen
 * transport has not been tried yet.
 */
enum frec_transport frec__transport_choose(const struct frec_transport_facts *facts, char *ret_why,
					   size_t size);

#endif
