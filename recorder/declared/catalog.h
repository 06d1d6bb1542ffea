/* SPDX-License-Identifier: MIT */
/*
 * The events that tracefs lists, under the names that people use.
 *
 * User events share one flat name space in the kernel, so FREC_EVENT(shop, paid) is
 * `user_events:shop__paid` there. It is shown and selected as `shop:paid`. A user event without a
 * double underscore is shown as `user_events:NAME`. If two programs declare events of the same name
 * with different fields, the kernel has a separate `user_events_multi:shop__paid.N` for each.
 *
 * A selection (see sources/selection.h) is a glob over SYSTEM:NAME (fnmatch(3)). It matches kernel
 * tracepoints only if it spells out their system (`sched:sched_*`): `*:*` matches every user event,
 * but not the thousands of kernel tracepoints.
 */
#ifndef FREC_RECORDER_DECLARED_CATALOG_H
#define FREC_RECORDER_DECLARED_CATALOG_H

#include <stdbool.h>
#include <stddef.h>

#include "flightrec.pb-c.h"
#include "proto/error.h"

struct frec_listed {
	Flightrec__SourceKind kind;
	char system[128]; /* the names that people use */
	char name[256];
	char group[128]; /* the names that tracefs uses */
	char kernel_name[1024];
};

/* Fills in the names that people use for the event that tracefs calls `group`:`name`. */
void frec__catalog_name(struct frec_listed *ret, const char *group, const char *name);

/* Returns whether a selection matches this event. */
bool frec__catalog_matches(const char *selection, const struct frec_listed *listed);

/* Calls `visit` for each event that the selection matches, until a call does not return 0. Returns
 * what that call returned, or 0 if every call returned 0. */
typedef int frec_catalog_visit(void *context, const struct frec_listed *listed);
int frec__catalog_walk(int tracefs, const char *selection, frec_catalog_visit *visit,
		       void *context);

/* Returns -ENOENT, with a message, if the selection names a system of kernel tracepoints but
 * matches no event, else 0. */
int frec__catalog_check(int tracefs, const char *selection, struct frec_error *reterr);

/*
 * Returns whether a selection is taken to be for kernel tracepoints, because it names a system of
 * the kernel. If `tracefs` is -1, the system is compared with a list of the kernel's systems that
 * people select most.
 */
bool frec__catalog_is_kernel(int tracefs, const char *selection);

/*
 * Opens tracefs, wherever it is mounted. If it is not mounted and the caller has the right to
 * mount, this creates a mount that nobody else sees and that disappears when the descriptor is
 * closed; the table of mounts stays unchanged. Returns a descriptor, or a negative errno with a
 * message; -ENOENT if tracefs is not mounted and cannot be mounted.
 */
int frec__catalog_open(struct frec_error *reterr);

#endif
