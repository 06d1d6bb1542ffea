/* SPDX-License-Identifier: MIT */
/*
 * What this machine, as this user, can do for a recorder, found out by trying it: never from a
 * version, which says nothing about configuration, back-ports, rights or containers.
 */
#ifndef FREC_RECORDER_DOCTOR_PROBES_H
#define FREC_RECORDER_DOCTOR_PROBES_H

#include <stdbool.h>
#include <stddef.h>

enum frec_probe_state {
	FREC_PROBE_OK,
	FREC_PROBE_LIMITED, /* works in part; what was found says which */
	FREC_PROBE_MISSING,
};

/* What a capability belongs to. The first three are the transports, by their names. */
enum frec_probe_group {
	FREC_PROBE_USER_EVENTS,
	FREC_PROBE_USDT,
	FREC_PROBE_SHM,
	FREC_PROBE_TRANSPORT_COUNT,
	FREC_PROBE_KERNEL = FREC_PROBE_TRANSPORT_COUNT,
	FREC_PROBE_RINGS,
	FREC_PROBE_CRASHES,
	FREC_PROBE_PROCESSES,
	FREC_PROBE_ENVIRONMENT,
	FREC_PROBE_GROUP_COUNT,
};

struct frec_probe_result {
	enum frec_probe_state state;
	char found[256];
	/* What would change it; both are empty where all is well or nothing can be done. */
	char fix[512];	  /* a command, as a shell takes it */
	char advice[256]; /* words, where no one command does it */
};

struct frec_probe {
	const char *name;
	enum frec_probe_group group;
	const char *enables; /* a few words: a column of a table */
	void (*probe)(struct frec_probe_result *ret);
};

extern const struct frec_probe frec__probes[];
extern const size_t frec__probe_count;

/*
 * Tries everything once, in the order of the table. `ret` has room for frec__probe_count results.
 * Leaves nothing behind, but starts processes for a moment. Not thread-safe.
 */
void frec__probes_run(struct frec_probe_result *ret);

/* What the results come to: for each transport, and for the kernel's tracepoints, the first
 * capability that it lacks. */
struct frec_probe_verdict {
	const struct frec_probe *lacking[FREC_PROBE_TRANSPORT_COUNT]; /* NULL: it works */
	const struct frec_probe *tracepoints_lacking;
	int automatic; /* the transport that is taken unless one is asked for; -1: none works */
};

void frec__probes_judge(const struct frec_probe_result *results, struct frec_probe_verdict *ret);

#endif
