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
	/* if one owner's .frec files together have more bytes than this, some are removed, as
	 * quota.h says; 0: no limit */
	uint64_t quota;
	bool made;	  /* the folder did not exist before */
	uint64_t written; /* number of snapshots so far, which makes names unique within a second */
};

/* Makes the folder if it does not exist, and checks that files can be made in it. Returns 0 or a
 * negative errno. */
int frec__folder_open(struct frec_folder *folder, const char *path, const char *fallback,
		      uint64_t quota, struct frec_error *reterr);

/*
 * Writes a snapshot under a name that says what happened, when and to which process, and gives it
 * to the user `owner` unless that is -1. If this fails, the failure is reported, and the snapshot
 * is written to the fallback folder. `ret_path` has PATH_MAX bytes. Returns 0, or a negative errno
 * if no file was written, -ECANCELED without a message if it was given up.
 */
int frec__folder_write(struct frec_folder *folder, const struct frec_snapshot_job *snapshot,
		       int64_t owner, char *ret_path, struct frec_error *reterr);

#endif
