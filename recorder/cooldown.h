/* SPDX-License-Identifier: MIT */
/*
 * Repeats. A repeat is a request or a death whose snapshot would have the same cause as one that
 * was written a short time ago. The first snapshot of a cause is written at once. Repeats within
 * the cool-down wait for its end and then become one snapshot, that of the last repeat, which says
 * how many others it replaces. That file starts the next cool-down. So the repeats of a cause make
 * at most one file per cool-down, and what happened before the last repeat is in the last file.
 *
 * There is one exception. If younger events are about to overwrite what the rings hold from before
 * the first repeated request or the last repeated death, the wait ends early, but not before a
 * tenth of the cool-down has passed. So the repeats of a cause never make more than ten files per
 * cool-down.
 *
 * Both triggers (triggers.h) and deaths (deaths.h) follow these rules. A death is a repeat only in
 * a loop: the process was started after another process of the same program had died in the same
 * way. Processes that lived at the same time may die for one reason, but each gets a file of its
 * own.
 */
#ifndef FREC_RECORDER_COOLDOWN_H
#define FREC_RECORDER_COOLDOWN_H

#include "recorder/snapshot/snapshot.h"

/* Nanoseconds. */
#define FREC_COOLDOWN_DEFAULT UINT64_C(5000000000)
/* How many causes are remembered. If a user's share of them (share.h) is used up, the user's cause
 * whose file is oldest is forgotten, and its next snapshot counts as its first. */
#define FREC_CAUSES_MAX 64

struct frec_cause {
	Flightrec__Trigger__Kind kind;
	char name[128]; /* of the trigger, or of the program that died */
	int signal;
	/* the process that asked; 0: requests of all processes have the same cause */
	uint32_t pid;
	/* the user whose records the snapshot holds; -1: all records */
	int64_t only_uid;
	/* The user whose process died; 0 for a request. Programs of different users have different
	 * causes even if all snapshots are root's. */
	uint32_t uid;
};

struct frec_cooldown {
	uint64_t duration; /* nanoseconds; 0: nothing is a repeat */
	struct frec_recent_cause {
		struct frec_cause cause;
		/* when the first request or death of the current row happened; the files of a row
		 * are begun less than two cool-downs apart */
		uint64_t since;
		/* when the last file of the cause was begun; 0: the entry is unused */
		uint64_t written;
	} recent[FREC_CAUSES_MAX];
};

/* Returns the user whose share (share.h) a cause takes. */
uint32_t frec__cause_user(const struct frec_cause *cause);

bool frec__cause_is(const struct frec_cause *a, const struct frec_cause *b);

/* All times are nanoseconds of CLOCK_MONOTONIC. */

/* Returns when the cool-down of `cause` ends, or 0 if it is not cooling down, so that its snapshot
 * is written at once. */
uint64_t frec__cooldown_until(const struct frec_cooldown *cooldown, const struct frec_cause *cause,
			      uint64_t now);

/* Returns whether a process that died of `cause` and was started at `start` (0: unknown) belongs to
 * a loop: another process had died of that cause before. The answer is meaningful only during the
 * cool-down. */
bool frec__cooldown_is_loop(const struct frec_cooldown *cooldown, const struct frec_cause *cause,
			    uint64_t start);

/* Starts the cool-down of `cause`. Call this before the file is written, so that what comes
 * meanwhile is a repeat. `happened` is when the request or death happened that the file is
 * about. */
void frec__cooldown_begin(struct frec_cooldown *cooldown, const struct frec_cause *cause,
			  uint64_t happened, uint64_t now);

/* Lets `later` stand for `before` as well, which gets no snapshot of its own. */
void frec__reason_coalesce(struct frec_reason *later, const struct frec_reason *before);

/* Returns whether a repeat is to become a snapshot now. `until` is the end of the cool-down.
 * `overwritten`: a quarter of a ring was overwritten since the first held request of the cause, or
 * since the last death of the loop. */
bool frec__cooldown_is_over(const struct frec_cooldown *cooldown, uint64_t until, uint64_t now,
			    bool overwritten);

#endif
