/* SPDX-License-Identifier: MIT */
/*
 * Repeats: what would cause a snapshot and has the same cause as one that was written a short time
 * ago. The first of a cause gets its file at once. Those that follow within the cool-down wait for
 * its end and then become one snapshot, that of the last of them, which says how many it stands
 * for. That file starts the next cool-down, so a cause takes at most one file per cool-down, and
 * nothing that happened before the last repeat is left out of the last file.
 *
 * The one exception: if younger events are about to overwrite what the rings hold from before the
 * first repeat, the wait ends early, but not before a tenth of the cool-down. So a cause takes at
 * most ten files per cool-down, whatever happens.
 *
 * Both triggers (triggers.h) and deaths (deaths.h) follow these rules. Of deaths only a loop is a
 * repeat: a process that was started after another one of the same program had died the same way.
 * Processes that lived at the same time die for one reason, and each has a file of its own.
 */
#ifndef FREC_RECORDER_COOLDOWN_H
#define FREC_RECORDER_COOLDOWN_H

#include "recorder/snapshot/snapshot.h"

/* Nanoseconds. */
#define FREC_COOLDOWN_DEFAULT UINT64_C(5000000000)
/* The most causes that are remembered. Beyond, the one whose file is oldest is forgotten, and what
 * comes next of it counts as the first. */
#define FREC_CAUSES_MAX 64

struct frec_cause {
	Flightrec__Trigger__Kind kind;
	char name[128]; /* of the trigger, or of the program that died */
	int signal;
	uint32_t pid;	  /* the process that asked; 0: all processes are one cause */
	int64_t only_uid; /* whose records the snapshot holds; -1: all */
};

struct frec_cooldown {
	uint64_t duration; /* nanoseconds; 0: nothing is a repeat */
	struct frec_recent_cause {
		struct frec_cause cause;
		uint64_t since;	  /* when the first of an uninterrupted row happened */
		uint64_t written; /* when its last file was begun; 0: unused */
	} recent[FREC_CAUSES_MAX];
};

bool frec__cause_is(const struct frec_cause *a, const struct frec_cause *b);

/* All times are nanoseconds of CLOCK_MONOTONIC. */

/* Returns when the cool-down of that cause ends; 0: the cause has none, so it gets its file now. */
uint64_t frec__cooldown_until(const struct frec_cooldown *cooldown, const struct frec_cause *cause,
			      uint64_t now);

/* Whether a process of that cause which was started at `start` (0: unknown) belongs to a loop: one
 * of the same cause had died before. Only meaningful during the cool-down. */
bool frec__cooldown_is_loop(const struct frec_cooldown *cooldown, const struct frec_cause *cause,
			    uint64_t start);

/* Starts the cool-down of that cause. To be called before the file is written, so that what comes
 * meanwhile is a repeat. `happened`: when the cause did. */
void frec__cooldown_begin(struct frec_cooldown *cooldown, const struct frec_cause *cause,
			  uint64_t happened, uint64_t now);

/* Whether a repeat is to become a snapshot now. `until` is the end of the cool-down. `overwritten`:
 * a quarter of a ring was overwritten since the first repeat. */
bool frec__cooldown_is_over(const struct frec_cooldown *cooldown, uint64_t until, uint64_t now,
			    bool overwritten);

#endif
