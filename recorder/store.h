/* SPDX-License-Identifier: MIT */
/* Where snapshots are written, and how that went so far. */
#ifndef FREC_RECORDER_STORE_H
#define FREC_RECORDER_STORE_H

#include "recorder/snapshot/folder.h"

struct frec_store {
	struct frec_folder folder;
	uint64_t snapshots, failures;
	char last_path[PATH_MAX]; /* path of the last snapshot; empty: none yet */
	/* Called after each snapshot, unless it is NULL. If the snapshot could not be written,
	 * `path` is NULL and `code` a negative errno. */
	void (*on_written)(void *context, const struct frec_snapshot_job *job, const char *path,
			   int code);
	void *context;
};

/* Writes a snapshot and reports a failure. `ret_path` (PATH_MAX bytes) may be NULL. Returns 0 or a
 * negative errno. */
int frec__store_write(struct frec_store *store, const struct frec_snapshot_job *job, char *ret_path,
		      struct frec_error *reterr);

#endif
