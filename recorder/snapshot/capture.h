/* SPDX-License-Identifier: MIT */
/*
 * A capture: the contents of all rings at one moment, and the counts that prove it complete. It is
 * taken within milliseconds and written to a file afterwards. Its memory is reserved beforehand,
 * because the machine may have run out of memory when the capture is taken.
 *
 * The loss arithmetic relies on the order of the steps:
 *   1. read the clock and every source's count       everything up to here ...
 *   2. wait a grace period                           ... is finished and in the rings,
 *   3. copy the rings, newest bytes first            so it is in the copy or was overwritten;
 *   4. wait a grace period, read the heads again what the copy may have lost at its old end is
 *      known exactly;
 *   5. read every source's count again               what came during the copy is known too.
 *
 * In shared memory, services count an event after they have written its record. So rings in shared
 * memory need no grace period, but a service that dies after writing a record and before counting
 * the event leaves a record that is not counted.
 */
#ifndef FREC_RECORDER_SNAPSHOT_CAPTURE_H
#define FREC_RECORDER_SNAPSHOT_CAPTURE_H

#include "proto/clocks.h"
#include "recorder/rings/ring.h"
#include "recorder/sources/source.h"

struct frec_capture {
	size_t rings;		     /* number of rings that were captured */
	struct frec_ring_copy *copy; /* per ring */
	size_t sources;
	/* Per source and ring, at [source * rings + ring]. */
	struct frec_count *before, *after;
	struct frec_clocks clocks;
	uint64_t began, duration; /* of step 3, in nanoseconds */
	uint64_t complete_until;  /* the time of step 1 */
	bool settled;		  /* all grace periods that were needed have passed */

	/* Reserved for the next capture. */
	size_t rings_room, sources_room;
	/* scratch for where the records of a ring begin: ring_size / FREC_RECORD_SIZE_MIN items */
	uint32_t *offset;
};

/* The smallest size of a record of ours: its header and PERF_SAMPLE_TID, TIME, CPU, IDENTIFIER. */
#define FREC_RECORD_SIZE_MIN 40

/* Reserves and touches memory for `sources` sources and for `rings` rings of `ring_size` bytes
 * each. Returns 0 or -ENOMEM. */
int frec__capture_reserve(struct frec_capture *capture, size_t rings, size_t ring_size,
			  size_t sources);
/* Gives back the memory for all but `rings` rings. */
void frec__capture_shrink(struct frec_capture *capture, size_t rings, size_t ring_size);
void frec__capture_deinit(struct frec_capture *capture, size_t ring_size);

/* Takes the capture. Allocates nothing, never fails, and stops no writer. */
void frec__capture_take(struct frec_capture *capture, const struct frec_ring *rings,
			size_t ring_count, const struct frec_source *sources, size_t source_count);

/* Copies only the rings, without waiting for records that are being written, to see what is in them
 * at about this time. Such a copy is not good enough for a snapshot. */
void frec__capture_peek(struct frec_capture *capture, const struct frec_ring *rings,
			size_t ring_count, const struct frec_source *sources, size_t source_count);

#endif
