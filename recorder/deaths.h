/* SPDX-License-Identifier: MIT */
/*
 * Deaths that were announced and have no snapshot yet. After a fatal signal the other threads run
 * on for a moment, and their last events belong in the snapshot. So the snapshot is taken when the
 * process is gone (pidfd), when writing its core takes too long, or when younger events begin to
 * overwrite those from before the crash, whichever comes first. If the stacks of all threads are
 * about to come, the snapshot waits for them, and not for the end of the process.
 */
#ifndef FREC_RECORDER_DEATHS_H
#define FREC_RECORDER_DEATHS_H

#include <poll.h>

#include "recorder/rings/ring.h"
#include "recorder/processes/sideband.h"
#include "recorder/snapshot/snapshot.h"

#define FREC_DEATHS_MAX 64
/* Milliseconds to wait for the end of a dying process. */
#define FREC_DEATH_WAIT_MAX 500

struct frec_death {
	struct frec_reason reason;
	int64_t only_uid;
	bool watched;	  /* whether the process was watched when the alert came */
	int pidfd;	  /* -1: the process was gone before this could be opened */
	uint64_t since;	  /* when the alert was handled */
	uint64_t written; /* bytes written to the busiest ring by then */
	uint64_t wait;	  /* nanoseconds to wait for the end of the process */
	/* until when to wait for the stacks that `flightrec core` has announced; 0: none are
	 * announced */
	uint64_t held;
};

struct frec_deaths {
	size_t count;
	uint64_t missed; /* deaths that there was no room for */
	struct frec_death death[FREC_DEATHS_MAX];
};

/*
 * Records an alert about `pid`; a second one about the same process adds to the first. The snapshot
 * holds only records of the user `only_uid`, or all if that is -1. `written` is how many bytes were
 * ever written to the busiest ring.
 */
void frec__deaths_record(struct frec_deaths *deaths, const struct frec_alert *alert, uint32_t pid,
			 int64_t only_uid, bool watched, uint64_t written);

/* Whether the death of that process was announced and frec__deaths_due() has not returned it
 * yet. */
bool frec__deaths_is_pending(const struct frec_deaths *deaths, uint32_t pid);

/*
 * Makes the death of `pid` wait `milliseconds` for the end of the process, instead of
 * FREC_DEATH_WAIT_MAX: starting `flightrec core` takes time on a busy machine.
 */
void frec__deaths_wait(struct frec_deaths *deaths, uint32_t pid, unsigned int milliseconds);

/* Makes the death of `pid` wait until `until` (nanoseconds of CLOCK_MONOTONIC), even if the process
 * is gone. 0: it waits no longer than other deaths. */
void frec__deaths_hold(struct frec_deaths *deaths, uint32_t pid, uint64_t until);

/* If the snapshot of a death is due, moves that death to `ret` and returns true; else returns
 * false. */
bool frec__deaths_due(struct frec_deaths *deaths, uint64_t written, uint64_t ring_size,
		      struct frec_death *ret);

void frec__deaths_deinit(struct frec_deaths *deaths);

#endif
