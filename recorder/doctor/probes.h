/* SPDX-License-Identifier: MIT */
/*
 * The doctor room finds out what a recorder can do on this machine, as this user, by trying it. A
 * version number would say nothing about configuration, back-ports, rights or containers.
 *
 * probes.c has the table of probes, one for each capability. Each probe is a function of a
 * probes_*.c file that tries something, reports the result through probe.h, and leaves nothing
 * behind. probe_trial.c loads and attaches the small BPF programs of probe.bpf.c; probe_site_*.c is
 * the code that they are attached to. frec__probes_run() runs all probes, and frec__probes_judge()
 * derives which transports work and which one is chosen.
 *
 * Invariants: each result that is not ok says what was found and, if anything can be done about it,
 * gives a command or advice. The report has the order of the table.
 */
#ifndef FREC_RECORDER_DOCTOR_PROBES_H
#define FREC_RECORDER_DOCTOR_PROBES_H

#include <stdbool.h>
#include <stddef.h>

enum frec_probe_state {
	FREC_PROBE_OK,
	FREC_PROBE_LIMITED, /* works in part; `found` says which part */
	FREC_PROBE_MISSING,
};

/* What a capability is for. The first three are the transports. */
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
	/* How to fix the problem. Both are empty if there is no problem or nothing can be done. */
	char fix[512];	  /* a shell command */
	char advice[256]; /* in words, if no single command is enough */
};

struct frec_probe {
	const char *name;
	enum frec_probe_group group;
	const char *enables; /* a few words, for a column of the report */
	void (*probe)(struct frec_probe_result *ret);
};

extern const struct frec_probe frec__probes[];
extern const size_t frec__probe_count;

/* Runs all probes, in the order of the table. `ret` has room for frec__probe_count results. The
 * probes start short-lived processes. Not thread-safe. */
void frec__probes_run(struct frec_probe_result *ret);

/* For each transport, and for the kernel's tracepoints, the first needed capability that is
 * missing; NULL: none is missing. */
struct frec_probe_verdict {
	const struct frec_probe *lacking[FREC_PROBE_TRANSPORT_COUNT];
	const struct frec_probe *tracepoints_lacking;
	/* The default transports; -1: none works. `automatic` is that of a recorder that can hand
	 * its services memory (`run`, frec_recorder_start()), `automatic_machine` that of a
	 * recorder of the whole machine (`record`). */
	int automatic, automatic_machine;
};

void frec__probes_judge(const struct frec_probe_result *results, struct frec_probe_verdict *ret);

#endif
