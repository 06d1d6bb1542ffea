/* SPDX-License-Identifier: MIT */
/*
 * Deletes snapshots if those of an owner take more bytes than the quota allows. The quota is per
 * owner, so that no user can displace another user's snapshots. Strangers (share.h) together may
 * take three times the quota: if there are more than three of them in the folder, each may take an
 * equal part of that. A stranger may have FREC_QUOTA_FILES_MAX snapshots, because each costs time
 * whenever the quota is checked. Snapshots are deleted in the order of these ranks, and within each
 * rank the oldest first:
 *
 *	FREC_RANK_EMPTY		without any record or state of a crashed thread, or no snapshot
 *	FREC_RANK_TRIGGER	triggers that are neither first nor latest of their name
 *	FREC_RANK_TRIGGER_ENDS	the latest and the first trigger of a name
 *	FREC_RANK_DEATH		deaths that are neither first nor latest of their sort
 *	FREC_RANK_DEATH_LATEST	the latest death of a sort
 *	FREC_RANK_DEATH_FIRST	the first death of a sort, which is mostly the one to look at
 *
 * Deaths are of the same sort if programs of the same name died in the same way.
 *
 * The file that was just written is never deleted. "First" and "latest" compare only the files that
 * are in the folder now. What a file is about is read from its first parts (Summary in
 * flightrec.proto), so the order is the same after a restart of the recorder, for several recorders
 * that share a folder, and for files that were copied there. The age of a file counts from its last
 * modification.
 */
#ifndef FREC_RECORDER_SNAPSHOT_QUOTA_H
#define FREC_RECORDER_SNAPSHOT_QUOTA_H

#include <stdint.h>
#include <sys/types.h>

#define FREC_SNAPSHOT_SUFFIX ".frec"
#define FREC_QUOTA_FILES_MAX 1024

enum frec_rank {
	FREC_RANK_EMPTY,
	FREC_RANK_TRIGGER,
	FREC_RANK_TRIGGER_ENDS,
	FREC_RANK_DEATH,
	FREC_RANK_DEATH_LATEST,
	FREC_RANK_DEATH_FIRST,
};

/* Deletes snapshots of `owner` in the folder, or of all strangers if `owner` is one, until the rest
 * fits into `quota` bytes (0: no limit). `youngest` is the name of the file that was just written.
 * Each deletion is reported. */
void frec__quota_keep(const char *folder, uint64_t quota, uid_t owner, const char *youngest);

#endif
