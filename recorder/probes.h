/* SPDX-License-Identifier: MIT */
/*
 * What this machine, as this user, can do for a recorder, found out by trying it: never from a version, which says nothing
 * about configuration, back-ports, rights or containers.
 */
#ifndef FREC_RECORDER_PROBES_H
#define FREC_RECORDER_PROBES_H

#include <stdbool.h>
#include <stddef.h>

enum frec_probe_state {
	FREC_PROBE_OK,
	FREC_PROBE_LIMITED, /* works in part; the detail says which */
	FREC_PROBE_MISSING,
};

struct frec_probe_result {
	enum frec_probe_state state;
	char detail[320]; /* what was found */
	char fix[320]; /* a command that would change it; empty where all is well or nothing can be done */
};

struct frec_probe {
	const char *name;
	const char *description; /* what it is good for */
	void (*probe)(struct frec_probe_result *ret);
};

extern const struct frec_probe frec__probes[];
extern const size_t frec__probe_count;

/* Tries everything once, in the order of the table. `ret` has room for frec__probe_count results. Not thread-safe. */
void frec__probes_run(struct frec_probe_result *ret);

/* Whether the results let a recorder record kernel tracepoints, and user events as well. */
bool frec__probes_tracepoints(const struct frec_probe_result *results);
bool frec__probes_user_events(const struct frec_probe_result *results);

#endif
