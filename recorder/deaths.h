/* SPDX-License-Identifier: MIT */
/*
 * Deaths that were announced and have no snapshot yet. After a fatal signal the other threads run
 * on for a moment, and their last events belong in the snapshot. So the snapshot is taken when the
 * process is gone (pidfd), when writing its core takes too long, or when younger events begin to
 * overwrite those from before the crash, whichever comes first. If `flightrec core` is about to
 * send the stacks of all threads, the snapshot waits for them, and not for the end of the process.
 *
 * Of the deaths of one user that are due, the oldest comes first: it is mostly the cause of the
 * others, and what it leaves in the rings is overwritten first. Deaths of root and of the
 * recorder's user come before those of strangers, and strangers take turns (share.h, pace.h). A
 * death in a loop (cooldown.h) waits once more, for the end of the cool-down. If another death of
 * that loop comes meanwhile, that death waits instead.
 *
 * Each user has a share of the places. A process that emitted no events gets no snapshot, but that
 * is known only after a search of the rings. frec__deaths_drop_silent() then empties the places of
 * all such processes at once. Before that, such a process gives up its place if a process that did
 * emit events needs it.
 */
#ifndef FREC_RECORDER_DEATHS_H
#define FREC_RECORDER_DEATHS_H

#include <poll.h>

#include "recorder/cooldown.h"
#include "recorder/pace.h"
#include "recorder/rings/ring.h"
#include "recorder/processes/sideband.h"
#include "recorder/snapshot/snapshot.h"

#define FREC_DEATHS_MAX 256
/* Milliseconds to wait for the end of a dying process. */
#define FREC_DEATH_WAIT_MAX 500

struct frec_death {
	struct frec_reason reason;
	int64_t only_uid;
	uint32_t uid;  /* the user whose share of the places this takes */
	uint64_t turn; /* when it was this user's turn the last time: see frec_deaths.turns */
	bool watched;  /* the process was watched when the alert came */
	bool gone;     /* the process was over before the rings were searched */
	/* the rings were searched for events of the process, and some were found, then or earlier:
	 * the events may be overwritten before the snapshot is taken */
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

/* The process that an alert is about. */
struct frec_victim {
	uint32_t pid;
	uint32_t uid;  /* the user whose share of the places the death takes */
	uint64_t life; /* frec_process.life; 0: the process table does not have it */
	/* the user whose records the snapshot of the death holds; -1: all records */
	int64_t only_uid;
	bool watched;
	bool emitted; /* the process is known to have emitted events */
};

struct frec_deaths {
	size_t count;
	uint64_t missed; /* deaths that there was no room for, since that was last reported */
	/* deaths that were replaced by a later one of their loop, since the start */
	uint64_t coalesced;
	uint64_t missed_ever;
	uint64_t turns;	      /* how many deaths frec__deaths_due() has returned */
	uint64_t next_report; /* when `missed` may be reported again */
	bool hurry;	      /* the recorder is ending: repeats do not wait */
	bool at_once;	      /* and no death waits for the end of its process */
	struct frec_death death[FREC_DEATHS_MAX];
};

/* Records an alert about a process; a second one about the same process adds to the first. If the
 * share of the user is used up, the death is counted in `missed`. `written` is how many bytes were
 * ever written to the busiest ring. */
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

/* If the snapshot of a death is due, moves the first such death to `ret` and returns true; else
 * returns false. Deaths of users that rest are not due. */
bool frec__deaths_due(struct frec_deaths *deaths, const struct frec_cooldown *cooldown,
		      const struct frec_pace *pace, uint64_t written, uint64_t ring_size,
		      struct frec_death *ret);

/* Returns whether the snapshot of a death of root or of the recorder's user is due. */
bool frec__deaths_trusted_due(const struct frec_deaths *deaths,
			      const struct frec_cooldown *cooldown, uint64_t written,
			      uint64_t ring_size);

/* Notes which processes are over. Call this before the rings are copied for a search. */
void frec__deaths_note_gone(struct frec_deaths *deaths);

/* Calls `emitted` for each process for which that is not known yet, to find out whether it has
 * emitted events. A no counts only for a process that was over before the rings were copied. */
void frec__deaths_search(struct frec_deaths *deaths,
			 bool (*emitted)(void *context, const struct frec_reason *reason),
			 void *context);

/* Removes the deaths of processes that emitted nothing, and calls `dropped` for each of them. */
void frec__deaths_drop_silent(struct frec_deaths *deaths,
			      void (*dropped)(void *context, const struct frec_reason *reason),
			      void *context);

/* Returns whether a death of user `uid` waits. */
bool frec__deaths_has_user(const struct frec_deaths *deaths, uint32_t uid);

/* Returns how many deaths of users that do not rest wait. */
size_t frec__deaths_count(const struct frec_deaths *deaths, const struct frec_pace *pace);

/* Puts back a death that frec__deaths_due() has just returned, because it is a repeat of
 * death->cause and has to wait until `until`. If another repeat of that cause waits, this one
 * replaces it and counts it in reason.coalesced. */
void frec__deaths_cool(struct frec_deaths *deaths, const struct frec_death *death, uint64_t until);

/* Returns whether a death of process `pid` waits for its snapshot, be it a repeat or not. */
bool frec__deaths_has(const struct frec_deaths *deaths, uint32_t pid);

/* Returns whether any death waits for something other than the end of a cool-down or of the rest of
 * its user. */
bool frec__deaths_are_urgent(const struct frec_deaths *deaths, const struct frec_pace *pace);

/* Fills `fds` with the pidfds to poll, at most `room`. Returns how many. */
size_t frec__deaths_poll(const struct frec_deaths *deaths, const struct frec_pace *pace,
			 struct pollfd *fds, size_t room);

void frec__deaths_deinit(struct frec_deaths *deaths);

#endif
