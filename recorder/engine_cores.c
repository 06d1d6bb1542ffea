// SPDX-License-Identifier: MIT
// Holding back the snapshot of a death for the stacks of all its threads.
#include "recorder/engine_cores.h"

#include <errno.h>
#include <syslog.h>

#include "proto/report.h"

// How many nanoseconds a snapshot waits at most for stacks that were announced.
#define STACKS_WAIT_MAX UINT64_C(30000000000)

// Returns the process with that pid if a snapshot of its death is to come, or NULL.
static const struct frec_process *awaited(const struct frec_engine *engine, uint32_t pid)
{
	const struct frec_process *process = frec__process_table_find(&engine->processes, pid);
	const struct frec_death *death = frec__deaths_pending(&engine->deaths, pid);

	if (!process || (death && death->reason.life != process->life))
		return NULL;
	// Without the sideband, a death is recorded only when the process has ended.
	return death || (!engine->kernel && frec__watchlist_find(&engine->watchlist, process))
		       ? process
		       : NULL;
}

bool frec__engine_core_announced(struct frec_engine *engine, uint32_t pid)
{
	// The signal was delivered before the core dump began, so the sideband has the alert.
	frec__sideband_drain(&engine->sideband);
	frec__deaths_hold(&engine->deaths, pid, frec__monotonic() + STACKS_WAIT_MAX);
	return awaited(engine, pid);
}

void frec__engine_core_over(struct frec_engine *engine, uint32_t pid)
{
	frec__deaths_wait(&engine->deaths, pid, FREC_DEATH_WAIT_MAX);
	frec__deaths_hold(&engine->deaths, pid, 0);
}

int frec__engine_core_stacks(struct frec_engine *engine, uint32_t pid, int fd, uint32_t missing,
			     struct frec_error *reterr)
{
	const struct frec_process *process;

	// The pid may have been given to another process since the stacks were taken.
	frec__sideband_drain(&engine->sideband);
	process = awaited(engine, pid);
	if (!process) {
		frec__report(LOG_WARNING,
			     "process %u: the stacks of its threads came after its snapshot", pid);
		return frec__error(reterr, -ESRCH, "no snapshot of process %u is to come", pid);
	}
	return frec__kept_stacks_read(&engine->stacks, process, fd, missing, reterr);
}
