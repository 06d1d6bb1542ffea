/* SPDX-License-Identifier: MIT */
/*
 * Deaths that were announced but are not over: after a fatal signal the other threads run on for a
 * moment, and their last events belong into the snapshot. So it is taken when the process is gone
 * (pidfd), when writing its core takes too long, or when younger events begin to overwrite what led
 * to the crash, whichever comes first. Where the stacks of all threads are about to come, it is
 * those that are waited for.
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
	bool watched;	  /* when it was announced; its client may have hung up since */
	int pidfd;	  /* -1: gone before it could be opened */
	uint64_t since;	  /* when the alert was handled */
	uint64_t written; /* bytes that all rings had seen by then */
	uint64_t wait;	  /* nanoseconds to wait for its end */
	/* until when stacks are waited for that `flightrec core` has announced; 0 */
	uint64_t held;
};

struct frec_deaths {
	size_t count;
	uint64_t missed; /* that there was no room for */
	struct frec_death death[FREC_DEATHS_MAX];
};

/* Notes an alert about `pid`; a second one about the same process adds to the first. */
void frec__deaths_note(struct frec_deaths *deaths, const struct frec_alert *alert, uint32_t pid,
		       int64_t only_uid, bool watched, uint64_t written);

/* Whether the death of that process was announced and is not due yet. */
bool frec__deaths_pending(const struct frec_deaths *deaths, uint32_t pid);

/*
 * Has that death wait so many milliseconds for its end, instead of FREC_DEATH_WAIT_MAX: `flightrec
 * core` is about to be started, which takes a busy machine its time.
 */
void frec__deaths_wait(struct frec_deaths *deaths, uint32_t pid, unsigned int milliseconds);

/* Has that death wait until then (nanoseconds of CLOCK_MONOTONIC), also where the process is gone;
 * 0: no longer than the others. */
void frec__deaths_hold(struct frec_deaths *deaths, uint32_t pid, uint64_t until);

/* Takes out one that is due, true if there was one. */
bool frec__deaths_due(struct frec_deaths *deaths, uint64_t written, uint64_t ring_size,
		      struct frec_death *ret);

void frec__deaths_deinit(struct frec_deaths *deaths);

#endif
