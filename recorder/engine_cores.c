// SPDX-License-Identifier: MIT
// Holding back the snapshot of a death for the stacks of all its threads.
#include "recorder/engine_cores.h"

#include <errno.h>
#include <syslog.h>

#include "proto/report.h"

// How many nanoseconds a snapshot waits at most for stacks that were announced.
#define STACKS_WAIT_MAX UINT64_C(30000000000)

static bool is_awaited(const struct frec_engine *engine, uint32_t pid)
{
	// Without the sideband, a death is recorded only when the process has ended.
	return frec__deaths_is_pending(&engine->deaths, pid) ||
	       (!engine->kernel && frec__watchlist_find(&engine->watchlist, pid));
}

bool frec__engine_core_announced(struct frec_engine *engine, uint32_t pid)
{
	// The signal was delivered before the core dump began, so the sideband has the alert.
	frec__sideband_drain(&engine->sideband);
	frec__deaths_hold(&engine->deaths, pid, frec__monotonic() + STACKS_WAIT_MAX);
	return is_awaited(engine, pid);
}

void frec__engine_core_over(struct frec_engine *engine, uint32_t pid)
{
	frec__deaths_wait(&engine->deaths, pid, FREC_DEATH_WAIT_MAX);
	frec__deaths_hold(&engine->deaths, pid, 0);
}

int frec__engine_core_stacks(struct frec_engine *engine, uint32_t pid, int fd, uint32_t missing,
			     struct frec_error *reterr)
{
	if (!is_awaited(engine, pid)) {
		frec__report(LOG_WARNING,
			     "process %u: the stacks of its threads came after its snapshot", pid);
		return frec__error(reterr, -ESRCH, "no snapshot of process %u is to come", pid);
	}
	return frec__kept_stacks_read(&engine->stacks, pid, fd, missing, reterr);
}
