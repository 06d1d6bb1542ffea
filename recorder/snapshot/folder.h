/* SPDX-License-Identifier: MIT */
/* The folder of snapshots: names, the quota, and the fallback when it cannot be written. */
#ifndef FREC_RECORDER_SNAPSHOT_FOLDER_H
#define FREC_RECORDER_SNAPSHOT_FOLDER_H

#include <limits.h>
#include <stdint.h>

#include "recorder/snapshot/snapshot.h"

struct frec_folder {
	char path[PATH_MAX];	 /* absolute */
	char fallback[PATH_MAX]; /* empty: none */
	/* bytes of .frec files of one owner; the oldest are removed above it; 0: no limit */
	uint64_t quota;
	bool made;	  /* it was not there before */
	uint64_t written; /* snapshots so far: keeps names apart within a second */
};

/* Makes the folder where it is missing and proves that it can be written. */
int frec__folder_open(struct frec_folder *folder, const char *path, const char *fallback,
		      uint64_t quota, struct frec_error *reterr);

/*
 * Writes a snapshot under a name that tells what happened, when and to whom; in the fallback folder
 * when the first one fails. `ret_path` has PATH_MAX bytes. A failure of the first folder is
 * reported on stderr even when the fallback served.
 */
int frec__folder_write(struct frec_folder *folder, const struct frec_snapshot_job *snapshot,
		       int64_t owner, char *ret_path, struct frec_error *reterr);

#endif
