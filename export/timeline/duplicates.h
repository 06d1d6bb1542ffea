/* SPDX-License-Identifier: MIT */
/*
 * Records that several snapshots of one recording hold. A recording is what one recorder holds in
 * its rings (boot, Header.recording_since and ring_size are the same); snapshots of it that overlap
 * hold copies of the same records. Two recorders that record the same event make a record each,
 * with a time of its own: those are not copies, and stay.
 *
 * A copy is of the same ring, source, thread, time and payload. Two events can be alike in all of
 * that, too, where the clock is coarse: so the records of two files are paired one to one, and of
 * several alike there are as many as the file with the most of them has.
 *
 * The files' records come in order of time, so a copy follows soon. It is looked for among the last
 * few records of its ring; a copy that comes later than that (a ring that is far out of order where
 * a file begins) stays: an event too many, never one too few.
 */
#ifndef FREC_EXPORT_TIMELINE_DUPLICATES_H
#define FREC_EXPORT_TIMELINE_DUPLICATES_H

#include "export/read/records.h"

/* Files of one recording: a bit each. */
#define FREC_DUPLICATES_FILES_MAX 64

struct frec_duplicates_ring;

/* Of one recording. Start with zeroes. */
struct frec_duplicates {
	struct frec_duplicates_ring *rings;
	size_t count;
};

/*
 * Whether another file's copy of this record has been here before. `file` is less than
 * FREC_DUPLICATES_FILES_MAX, `source` names the record's source among all files. Returns 1, 0 or
 * -ENOMEM.
 */
int frec__duplicates_check(struct frec_duplicates *duplicates, unsigned int file, uint32_t ring,
			   size_t source, const struct frec_record *record);
void frec__duplicates_free(struct frec_duplicates *duplicates);

#endif
