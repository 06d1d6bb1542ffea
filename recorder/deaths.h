/* SPDX-License-Identifier: MIT */
/*
 * Deaths that were announced and have no snapshot yet. After a fatal signal the other threads run
 * on for a moment, and their last events belong in the snapshot. So the snapshot is taken when the
 * process is gone (pidfd), when writing its core takes too long, or when younger events begin to
 * overwrite those from before the crash, whichever comes first. If the stacks of all threads are
 * about to come, the snapshot waits for them, and not for the end of the process.
 *
 * Of the deaths that are due, the oldest comes first: it is mostly the cause of the others, and
 * what it leaves in the rings is overwritten first. A death in a loop (cooldown.h) waits once more,
 * for the end of the cool-down, and is then replaced by the next death of that loop.
 */
#ifndef FREC_RECORDER_DEATHS_H
#define FREC_RECORDER_DEATHS_H

#include <poll.h>

#include "recorder/cooldown.h"
#include "recorder/rings/ring.h"
#include "recorder/processes/sideband.h"
#include "recorder/snapshot/snapshot.h"

#define FREC_DEATHS_MAX 256
/* Milliseconds to wait for the end of a dying process. */
#define FREC_DEATH_WAIT_MAX 500

struct frec_death {
	struct frec_reason reason;
	int64_t only_uid;
	bool watched; /* whether the process was watched when the alert came */
	/* whether the rings were searched for events of the process, and whether any was found
	 * then: they may be overwritten before the snapshot is taken */
	bool searched, mentioned;
	int pidfd;	  /* -1: the process was gone before this could be opened */
	uint64_t since;	  /* when the alert was handled */
	uint64_t written; /* bytes written to the busiest ring by then */
	uint64_t wait;	  /* nanoseconds to wait for the end of the process */
	/* until when to wait for the stacks that `flightrec core` has announced; 0: none are
	 * announced */
	uint64_t held;
	/* Of a repeat: its cause, and the end of the cool-down that it waits for. 0: no repeat. */
	uint64_t cooling;
	struct frec_cause cause;
};

struct frec_deaths {
	size_t count;
	uint64_t missed;    /* deaths that there was no room for, since that was last reported */
	uint64_t coalesced; /* deaths of loops that have no snapshot of their own, ever */
	uint64_t missed_ever;
	bool hurry; /* the recorder is ending: repeats do not wait */
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

/* If the snapshot of a death is due, moves the oldest such death to `ret` and returns true; else
 * returns false. */
bool frec__deaths_due(struct frec_deaths *deaths, const struct frec_cooldown *cooldown,
		      uint64_t written, uint64_t ring_size, struct frec_death *ret);

/* Puts back a death that frec__deaths_due() has just returned, because it is a repeat of
 * death->cause and has to wait until `until`. If another repeat of that cause waits, the death
 * replaces it and counts it. */
void frec__deaths_cool(struct frec_deaths *deaths, const struct frec_death *death, uint64_t until);

/* Whether a snapshot of that process is to come, be it of a repeat. */
bool frec__deaths_has(const struct frec_deaths *deaths, uint32_t pid);

/* Whether some death waits for anything but the end of a cool-down. */
bool frec__deaths_are_urgent(const struct frec_deaths *deaths);

void frec__deaths_deinit(struct frec_deaths *deaths);

#endif
