/* SPDX-License-Identifier: MIT */
/* The folder of snapshots: file names, the quota, and a fallback folder if writing fails. */
#ifndef FREC_RECORDER_SNAPSHOT_FOLDER_H
#define FREC_RECORDER_SNAPSHOT_FOLDER_H

#include <limits.h>
#include <stdint.h>

#include "recorder/snapshot/snapshot.h"

struct frec_folder {
	char path[PATH_MAX];	 /* absolute */
	char fallback[PATH_MAX]; /* empty: none */
	/* bytes of one owner's .frec files, above which the oldest are removed; 0: no limit */
	uint64_t quota;
	bool made;	  /* it did not exist before */
	uint64_t written; /* snapshots so far: makes names unique within a second */
};

/* Makes the folder if it is missing, and checks that it can be written. Returns 0 or a negative
 * errno. */
int frec__folder_open(struct frec_folder *folder, const char *path, const char *fallback,
		      uint64_t quota, struct frec_error *reterr);

/*
 * Writes a snapshot under a name that says what happened, when and to which process. If that fails
 * it is written to the fallback folder, and the failure is reported on stderr. `ret_path` has
 * PATH_MAX bytes.
 */
int frec__folder_write(struct frec_folder *folder, const struct frec_snapshot_job *snapshot,
		       int64_t owner, char *ret_path, struct frec_error *reterr);

#endif
