/* SPDX-License-Identifier: MIT */
/*
 * Finds records that several snapshots of one recording hold. A recording is what one recorder
 * holds in its rings: its snapshots have the same boot, Header.recording_since and ring_size, and
 * if they overlap they hold copies of the same records. Two recorders that record the same event
 * make one record each, with different times. Such records are not copies, and both are kept.
 *
 * A copy has the same ring, source, thread, time and payload. If the clock is coarse, two events
 * can have all of these in common. So each record is paired with at most one record of every other
 * file: if records of one file are equal to each other, as many of them are kept as there are in
 * the file that has the most.
 *
 * Records come in order of time, so a copy comes soon after the original, and the original is
 * looked for only among the last few records of the ring. A copy that comes later (from a ring that
 * is far out of order where a file begins) is kept: one event too many is better than one too few.
 */
#ifndef FREC_EXPORT_TIMELINE_DUPLICATES_H
#define FREC_EXPORT_TIMELINE_DUPLICATES_H

#include "export/read/records.h"
#include "proto/table.h"

/* A recording can have no more files than this, because each file has one bit in a word. */
#define FREC_DUPLICATES_FILES_MAX 64

struct frec_duplicates_ring;

/* The last records of one recording, by ring. Start with zeroes. */
struct frec_duplicates {
	struct frec_duplicates_ring *rings;
	size_t count;
	struct frec_table indices; /* index in `rings`, by CPU and number of the ring */
};

/*
 * Returns 1 if this record is a copy of one from another file that was checked before; otherwise
 * remembers it and returns 0 or -ENOMEM. `file` is less than FREC_DUPLICATES_FILES_MAX; `source` is
 * the same number for equal sources of all files.
 */
int frec__duplicates_check(struct frec_duplicates *duplicates, unsigned int file, uint32_t ring,
			   size_t source, const struct frec_record *record);
void frec__duplicates_free(struct frec_duplicates *duplicates);

#endif
