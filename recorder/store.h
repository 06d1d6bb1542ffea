/* SPDX-License-Identifier: MIT */
/* The folder into which snapshots are written, and counts of successes and failures. */
#ifndef FREC_RECORDER_STORE_H
#define FREC_RECORDER_STORE_H

#include "recorder/snapshot/folder.h"

struct frec_store {
	struct frec_folder folder;
	uint64_t snapshots, failures;
	char last_path[PATH_MAX]; /* path of the last snapshot; empty: none yet */
	/* Called after each attempt to write a snapshot, unless it is NULL. If the snapshot could
	 * not be written, `path` is NULL and `code` a negative errno. */
	void (*on_written)(void *context, const struct frec_snapshot_job *job, const char *path,
			   int code);
	void *context;
};

/* Writes a snapshot and reports a failure. `ret_path` (PATH_MAX bytes) may be NULL. Returns 0 or a
 * negative errno. -ECANCELED is no failure: the snapshot was given up, to be taken again. */
int frec__store_write(struct frec_store *store, const struct frec_snapshot_job *job, char *ret_path,
		      struct frec_error *reterr);

#endif
