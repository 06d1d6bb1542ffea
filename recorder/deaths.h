/* SPDX-License-Identifier: MIT */
/*
 * Deaths that were announced and have no snapshot yet. After a fatal signal the other threads run
 * on for a moment, and their last events belong in the snapshot. So the snapshot is taken when the
 * process is gone (pidfd), when writing its core takes too long, or when younger events begin to
 * overwrite those from before the crash, whichever comes first. If `flightrec core` is about to
 * send the stacks of all threads, the snapshot waits for them, and not for the end of the process.
 *
 * Of the deaths that are due, the oldest comes first: it is mostly the cause of the others, and
 * what it leaves in the rings is overwritten first. A death in a loop (cooldown.h) waits once more,
 * for the end of the cool-down. If another death of that loop comes meanwhile, that death waits
 * instead.
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

/* Whose death it is. */
struct frec_victim {
	uint32_t pid;
	uint64_t life;	  /* frec_process.life; 0: the process table does not have it */
	int64_t only_uid; /* the snapshot holds only this user's records; -1: all */
	bool watched;
};

struct frec_death {
	struct frec_reason reason;
	int64_t only_uid;
	bool watched; /* the process was watched when the alert came */
	/* the rings were searched for events of the process, and some were found: the events may be
	 * overwritten before the snapshot is taken */
	bool searched, mentioned;
	/* -1: the process was gone before this could be opened, or the death is a repeat */
	int pidfd;
	uint64_t since;	  /* when the alert was handled */
	uint64_t written; /* bytes written to the busiest ring by then */
	uint64_t wait;	  /* nanoseconds to wait for the end of the process */
	/* until when to wait for the stacks that `flightrec core` has announced; 0: none are
	 * announced */
	uint64_t held;
	/* The end of the cool-down that a repeat waits for (0: this is no repeat), and the cause of
	 * the death, which is set once the death is due. */
	uint64_t cooling;
	struct frec_cause cause;
};

struct frec_deaths {
	size_t count;
	uint64_t missed; /* deaths that there was no room for, since that was last reported */
	/* deaths that were replaced by a later one of their loop, since the start */
	uint64_t coalesced;
	uint64_t missed_ever;
	bool hurry; /* the recorder is ending: repeats do not wait */
	struct frec_death death[FREC_DEATHS_MAX];
};

/* Records an alert about a process; a second one about the same process adds to the first.
 * `written` is how many bytes were ever written to the busiest ring. */
void frec__deaths_record(struct frec_deaths *deaths, const struct frec_alert *alert,
			 const struct frec_victim *victim, uint64_t written);

/* These three are about the last process with the number `pid`. Returns the death of that process
 * if it was announced and has not been returned by frec__deaths_due() yet, or NULL. */
const struct frec_death *frec__deaths_pending(const struct frec_deaths *deaths, uint32_t pid);

/*
 * Makes the death of `pid` wait `milliseconds` for the end of the process. FREC_DEATH_WAIT_MAX is
 * too short for `flightrec core`, which takes time to start on a busy machine.
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
 * death->cause and has to wait until `until`. If another repeat of that cause waits, this one
 * replaces it and counts it in reason.coalesced. */
void frec__deaths_cool(struct frec_deaths *deaths, const struct frec_death *death, uint64_t until);

/* Returns whether a death of process `pid` waits for its snapshot, be it a repeat or not. */
bool frec__deaths_has(const struct frec_deaths *deaths, uint32_t pid);

/* Returns whether any death waits for something other than the end of a cool-down. */
bool frec__deaths_are_urgent(const struct frec_deaths *deaths);

void frec__deaths_deinit(struct frec_deaths *deaths);

#endif
