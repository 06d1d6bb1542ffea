/* SPDX-License-Identifier: MIT */
/*
 * The stacks of all threads that `flightrec core` brings while a process dies: they wait here for
 * the snapshot of that death, and the snapshot waits for them. Only who is trusted may bring any;
 * see control.h.
 */
#ifndef FREC_RECORDER_ENGINE_CORES_H
#define FREC_RECORDER_ENGINE_CORES_H

#include "recorder/engine.h"

/* Milliseconds that a snapshot waits for stacks that were announced, unless its rings are
 * overwritten meanwhile. */
#define FREC_CORE_WAIT_MAX 30000
/* Processes whose stacks are kept at once. */
#define FREC_CORES_MAX 8

struct frec_engine_core {
	uint32_t pid;
	uint64_t since; /* when they came */
	struct frec_thread_stacks stacks;
};

/* Milliseconds that it waits for the announcement, where the kernel starts `flightrec core` and the
 * process is not gone. */
#define FREC_CORE_START_MAX 5000

/* A process has got a signal that makes it dump its core: if `flightrec core` takes core dumps, it
 * is waited for. */
void frec__engine_core_dumps(struct frec_engine *engine, uint32_t pid);

/* Whether a snapshot of the death of that process is to come. It then waits for the stacks, until
 * they came or the wait is over. */
bool frec__engine_core_announced(struct frec_engine *engine, uint32_t pid);
void frec__engine_core_over(struct frec_engine *engine, uint32_t pid);

/*
 * Takes the stacks from `fd`, a sealed memory file of parts of a .frec file. `missing` threads are
 * not among them. -EINVAL:
 * that is not what it is; -ESRCH: no snapshot waits for them.
 */
int frec__engine_core_stacks(struct frec_engine *engine, uint32_t pid, int fd, uint32_t missing,
			     struct frec_error *reterr);

/* The stacks of that process, which are the caller's from now on; none where none came. */
struct frec_thread_stacks frec__engine_core_take(struct frec_engine *engine, uint32_t pid);

void frec__engine_stop_cores(struct frec_engine *engine);

#endif
