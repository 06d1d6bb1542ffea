/* SPDX-License-Identifier: MIT */
/*
 * Kernel tracepoints, recorded by a BPF program instead of perf. Some kernels (seen on 6.18) do not
 * write to perf's rings what hits in the idle task of some CPUs: no switch from that task, and
 * nothing that an interrupt does while the CPU sleeps. A BPF program on the same tracepoint runs
 * there.
 */
#ifndef FREC_RECORDER_SOURCES_TRACEPOINTS_H
#define FREC_RECORDER_SOURCES_TRACEPOINTS_H

#include "recorder/sources/source.h"

struct frec_tracepoints;

/*
 * Tries whether perf writes what hits in the idle task, with the tracepoint sched:sched_switch, on
 * each CPU that the calling thread may use in turn: the fault can be one of a single CPU. On each
 * the thread sleeps for a few milliseconds at most. Returns true only if a switch from the idle
 * task was written on each of them: the answer is false on a machine that is too busy for one.
 */
bool frec__perf_writes_idle(int tracefs);

/* Loads the program, for at most `slots` tracepoints. Returns 0, or a negative errno with a
 * message. */
int frec__tracepoints_create(struct frec_tracepoints **ret, uint32_t slots,
			     struct frec_error *reterr);

/* Must be called after the last copy of the rings. NULL is fine. */
void frec__tracepoints_destroy(struct frec_tracepoints *tracepoints);

/*
 * Has the program record `source`, which frec__source_init() initialised and which is not open yet.
 * It records nothing before frec__tracepoints_begin(). Returns 0 or a negative errno: the source is
 * then as before, to be recorded by perf.
 */
int frec__tracepoints_take(struct frec_tracepoints *tracepoints, struct frec_source *source);

/* Begins to record a source that was taken, after it was opened on every ring. */
void frec__tracepoints_begin(struct frec_tracepoints *tracepoints,
			     const struct frec_source *source);

#endif
