/* SPDX-License-Identifier: MIT */
/* All that -e selects in one recorder. It is parsed once at the start; after that, the functions
 * below say which events and stacks are wanted. */
#ifndef FREC_RECORDER_SELECTIONS_H
#define FREC_RECORDER_SELECTIONS_H

#include "recorder/declared/catalog.h"
#include "recorder/declared/declarations.h"
#include "recorder/sources/selection.h"

#define FREC_SELECTIONS_MAX 256

struct frec_selections {
	size_t count;
	struct frec_selection *selection;
	struct frec_stack_choice stack; /* for events whose selections say nothing about stacks */
};

/* Parses a NULL-terminated list. Refuses stacks that a ring of `ring_size` bytes cannot hold.
 * Returns 0 or a negative errno; `selections` must be deinitialised in both cases. */
int frec__selections_parse(struct frec_selections *selections, const char *const *texts,
			   const struct frec_stack_choice *stack, uint64_t ring_size,
			   struct frec_error *reterr);
void frec__selections_deinit(struct frec_selections *selections);

/* Checks that the selected kernel tracepoints exist. Returns 0 or a negative errno. */
int frec__selections_check(const struct frec_selections *selections, int tracefs,
			   struct frec_error *reterr);

/* Returns the first selection of anything but events of services, such as events of the kernel or
 * of programs that do not use libflightrec; NULL: there is none. `tracefs` may be -1. */
const struct frec_selection *frec__selections_beyond_services(
	const struct frec_selections *selections, int tracefs);

/* Returns the first selection of events of services, or if `services` is false the first of other
 * events, with stacks for which `is_meant` returns true; NULL: there is none. */
const struct frec_selection *frec__selections_with_stacks(
	const struct frec_selections *selections, int tracefs, bool services,
	bool (*is_meant)(const struct frec_stack_choice *choice));

/* Returns the stacks of an event: the choice of the last selection that matches the event and
 * chooses stacks, else selections->stack. */
const struct frec_stack_choice *frec__selections_stack(const struct frec_selections *selections,
						       const struct frec_listed *listed);

/* Returns whether an event of services is selected. Events of libflightrec itself always are. */
bool frec__selections_match(const struct frec_selections *selections,
			    const struct frec_declared *event);

#endif
