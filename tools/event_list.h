/* SPDX-License-Identifier: MIT */
/* A list of what can be recorded: events that the kernel has and events that programs declare. */
#ifndef FREC_TOOLS_EVENT_LIST_H
#define FREC_TOOLS_EVENT_LIST_H

#include "recorder/declared/catalog.h"
#include "recorder/declared/declarations.h"

struct frec_listed_event {
	struct frec_listed listed;	/* `group` is empty if `declared` is set */
	struct frec_format format;	/* as the kernel has registered the event */
	struct frec_declared *declared; /* from a file; NULL: the event is the kernel's */
	/* what a program declares under this name, if its fields differ from the kernel's; else
	 * NULL */
	char *conflict;
};

struct frec_event_list {
	int tracefs; /* descriptor of the folder; -1: it could not be opened */
	struct frec_declarations declarations;
	size_t count;
	struct frec_listed_event *event;
};

void frec__event_list_deinit(struct frec_event_list *list);

/* Adds the kernel's events that `selection` matches. Returns how many match, or a negative
 * errno. */
int frec__event_list_add_kernel(struct frec_event_list *list, const char *selection,
				struct frec_error *reterr);

/* Adds the USDT probes or raw tracepoints that a selection matches. Returns 0 or a negative
 * errno. */
int frec__event_list_add_foreign(struct frec_event_list *list, const char *selection,
				 struct frec_error *reterr);

/* Adds what an ELF file and the libraries that it is linked with declare. Returns how many events
 * they declare, or a negative errno. */
int frec__event_list_add_file(struct frec_event_list *list, const char *path,
			      struct frec_error *reterr);

/* Sorts by name, finds conflicts, and refines formats with what running programs and the
 * files declare. Returns 0 or a negative errno. */
int frec__event_list_finish(struct frec_event_list *list, struct frec_error *reterr);

#endif
