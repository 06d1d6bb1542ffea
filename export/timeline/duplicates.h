/* SPDX-License-Identifier: MIT */
/*
 * Finds records that several snapshots of one recording hold. A recording is what one recorder
 * holds in its rings: its snapshots have the same boot, Header.recording_since and ring_size, and
 * if they overlap they hold copies of the same records. Two recorders that record the same event
 * make a record each, with a time of its own. Those are not copies, and are kept.
 *
 * A copy has the same ring, source, thread, time and payload. If the clock is coarse, two events
 * can have all of these in common. So the records of two files are paired one to one: of several
 * equal records as many are kept as the file with the most of them has.
 *
 * Records come in order of time, so a copy follows soon, and it is searched among the last few
 * records of its ring. A copy that comes later (from a ring that is far out of order where a file
 * begins) is kept: an event too many, never one too few.
 */
#ifndef FREC_EXPORT_TIMELINE_DUPLICATES_H
#define FREC_EXPORT_TIMELINE_DUPLICATES_H

#include "export/read/records.h"

/* The most files of one recording: each is a bit of a word. */
#define FREC_DUPLICATES_FILES_MAX 64

struct frec_duplicates_ring;

/* Of one recording. Start with zeroes. */
struct frec_duplicates {
	struct frec_duplicates_ring *rings;
	size_t count;
};

/*
 * Whether a copy of this record from another file was checked before. `file` is less than
 * FREC_DUPLICATES_FILES_MAX; `source` is the same number for equal sources of all files. Returns 1,
 * 0 or -ENOMEM.
 */
int frec__duplicates_check(struct frec_duplicates *duplicates, unsigned int file, uint32_t ring,
			   size_t source, const struct frec_record *record);
void frec__duplicates_free(struct frec_duplicates *duplicates);

#endif
