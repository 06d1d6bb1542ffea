/* SPDX-License-Identifier: MIT */
/*
 * A capture: what all rings held at one moment, and the counts that prove it complete. Taken in
 * milliseconds into memory that was set aside at the start, because memory may be what just ran
 * out; turning it into a file comes after.
 *
 * Order of taking, which the loss arithmetic rests on:
 *   1. read the clock and every source's count       everything up to here ...
 *   2. wait a grace period                           ... is finished and in the rings,
 *   3. copy the rings, newest bytes first            so it is in the copy or was overwritten;
 *   4. wait a grace period, read the heads again what the copy may have lost at its old end is
 *      known exactly;
 *   5. read every source's count again               what came meanwhile is known too.
 *
 * In memory that services write themselves an event counts once its record is there: nothing has to
 * be waited for, and a process that died between the two leaves a record that no count knows of.
 */
#ifndef FREC_RECORDER_SNAPSHOT_CAPTURE_H
#define FREC_RECORDER_SNAPSHOT_CAPTURE_H

#include "proto/clocks.h"
#include "recorder/rings/ring.h"
#include "recorder/sources/source.h"

struct frec_capture {
	size_t rings;		     /* as many as there were when it was taken */
	struct frec_ring_copy *copy; /* per ring */
	size_t sources;
	/* Per source and ring, at [source * rings + ring]. */
	struct frec_count *before, *after;
	struct frec_clocks clocks;
	uint64_t began, duration; /* of step 3, nanoseconds */
	uint64_t complete_until;  /* the time of step 1 */
	bool settled;		  /* the kernel has grace periods for us */

	/* Set aside for the next capture. */
	size_t rings_room, sources_room;
	/* where the records of one ring begin: room for ring_size / FREC_RECORD_SIZE_MIN */
	uint32_t *offset;
};

/* No record of ours is smaller: header and PERF_SAMPLE_TID, TIME, CPU, IDENTIFIER. */
#define FREC_RECORD_SIZE_MIN 40

/* Sets memory aside, and touches it, for that many rings of `size` bytes and sources. Returns 0 or
 * -ENOMEM. */
int frec__capture_reserve(struct frec_capture *capture, size_t rings, size_t ring_size,
			  size_t sources);
void frec__capture_deinit(struct frec_capture *capture, size_t ring_size);

/* Captures. Allocates nothing, never fails, never stops a writer. */
void frec__capture_take(struct frec_capture *capture, const struct frec_ring *rings,
			size_t ring_count, const struct frec_source *sources, size_t source_count);

#endif
