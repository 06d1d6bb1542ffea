/* SPDX-License-Identifier: MIT */
/* What can be recorded, gathered for printing: events the kernel knows and events that programs
 * declare. */
#ifndef FREC_TOOLS_EVENT_LIST_H
#define FREC_TOOLS_EVENT_LIST_H

#include "recorder/declared/catalog.h"
#include "recorder/declared/declarations.h"

struct frec_listed_event {
	struct frec_listed listed;	/* group is empty where only a file declares it */
	struct frec_format format;	/* of what the kernel has registered */
	struct frec_declared *declared; /* of what only a file declares; in `declarations` */
	/* what a program declares under this name and the kernel has otherwise; or NULL */
	char *conflict;
};

struct frec_event_list {
	int tracefs; /* -1: unknown what the kernel has */
	struct frec_declarations declarations;
	size_t count;
	struct frec_listed_event *event;
};

void frec__event_list_deinit(struct frec_event_list *list);

/* Adds what the kernel has that matches. Returns how many matched, or a negative errno. */
int frec__event_list_add_kernel(struct frec_event_list *list, const char *selection,
				struct frec_error *reterr);

/* Adds the USDT probes or raw tracepoints that a selection of such means. Returns 0 or a negative
 * errno. */
int frec__event_list_add_foreign(struct frec_event_list *list, const char *selection,
				 struct frec_error *reterr);

/*
 * Adds what is declared by the ELF file and by the libraries it links. Returns how many it
 * declares, or a negative errno.
 */
int frec__event_list_add_file(struct frec_event_list *list, const char *path,
			      struct frec_error *reterr);

/* Sorts by name, tells conflicts, and refines formats by what running programs and the files
 * declare. */
int frec__event_list_finish(struct frec_event_list *list, struct frec_error *reterr);

#endif
