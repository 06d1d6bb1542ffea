/* SPDX-License-Identifier: MIT */
/*
 * What can be recorded: the events that tracefs shows, under the names that people use.
 *
 * User events have one flat name space in the kernel, so FREC_EVENT(shop, paid) is
 * `user_events:shop__paid` there; it is shown and selected as `shop:paid`. User events without a
 * double underscore keep the group's name. Two programs that declare one name with different fields
 * get `user_events_multi:shop__paid.N` each.
 *
 * A selection (see selection.h) is a glob over SYSTEM:NAME (fnmatch(3)). A kernel tracepoint is
 * only meant when its system is spelled out (`sched:sched_*`): `*:*` is every user event, not the
 * kernel's thousands.
 */
#ifndef FREC_RECORDER_DECLARED_CATALOG_H
#define FREC_RECORDER_DECLARED_CATALOG_H

#include <stdbool.h>
#include <stddef.h>

#include "flightrec.pb-c.h"
#include "proto/error.h"

struct frec_listed {
	Flightrec__SourceKind kind;
	char system[128]; /* as people name it */
	char name[256];
	char group[128]; /* as tracefs does */
	char kernel_name[1024];
};

/* Under which name people know what tracefs calls `group`:`name`. */
void frec__catalog_name(struct frec_listed *ret, const char *group, const char *name);

/* Whether a selection means this event. */
bool frec__catalog_matches(const char *selection, const struct frec_listed *listed);

/* Calls back for each event that matches; a non-zero return ends the walk and is returned. */
typedef int frec_catalog_visit(void *context, const struct frec_listed *listed);
int frec__catalog_walk(int tracefs, const char *selection, frec_catalog_visit *visit,
		       void *context);

/* Refuses a kernel tracepoint that does not exist. */
int frec__catalog_check(int tracefs, const char *selection, struct frec_error *reterr);

/*
 * Whether a selection can only mean something of the kernel's, told by its system alone. Where
 * there is no tracefs (-1) those systems count that people select most.
 */
bool frec__catalog_is_kernel(int tracefs, const char *selection);

/*
 * Opens tracefs, wherever it is mounted. Where it is not, who may mount gets a mount of his own
 * that nobody else sees and that ends with the descriptor: the table of mounts stays as it is.
 * Returns a descriptor or a negative errno, -ENOENT for no tracefs.
 */
int frec__catalog_open(struct frec_error *reterr);

#endif
