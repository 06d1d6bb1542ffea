/* SPDX-License-Identifier: MIT */
/* The watched processes: those whose deaths get a snapshot, as do the deaths of their
 * descendants. */
#ifndef FREC_RECORDER_WATCHLIST_H
#define FREC_RECORDER_WATCHLIST_H

#include "recorder/processes/processes.h"

struct frec_watched {
	uint32_t pid;
	uint64_t life;	  /* frec_process.life, because the pid may be given to another process */
	int64_t only_uid; /* snapshots of its death hold only this user's records; -1: all */
};

struct frec_watchlist {
	size_t count;
	struct frec_watched *watched;
};

/* Adds a process. Returns 0 or -ENOMEM. */
int frec__watchlist_add(struct frec_watchlist *list, const struct frec_process *process,
			int64_t only_uid);

/* Removes one entry of a process, if there is one: each client has an entry of its own. */
void frec__watchlist_remove(struct frec_watchlist *list, uint64_t life, int64_t only_uid);

/* Returns whether the process itself is watched, and not only an ancestor of it. */
bool frec__watchlist_has(const struct frec_watchlist *list, const struct frec_process *process);

/*
 * Returns the watched process that `process` is or descends from, the nearest of them, or NULL. One
 * that is watched for a user who may not see `process` (owner.h) does not count: what a set-uid
 * program or a service of root does is never the business of a user among whose descendants it is.
 * `process` may be NULL. The pointer is valid until the list changes.
 */
const struct frec_watched *frec__watchlist_find(const struct frec_watchlist *list,
						const struct frec_process *process);

/* For frec__process_table_poll(): returns whether a process is watched or descends from one that
 * is. `list` is a struct frec_watchlist. */
bool frec__watchlist_matters(void *list, const struct frec_process *process);

void frec__watchlist_deinit(struct frec_watchlist *list);

#endif
