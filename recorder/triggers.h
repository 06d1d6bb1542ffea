/* SPDX-License-Identifier: MIT */
/* Requests for snapshots that repeat an earlier one within the cool-down (cooldown.h). They wait
 * here, those of one cause together, and become one snapshot, which is taken after the last of them
 * and so has every event that was emitted before it. */
#ifndef FREC_RECORDER_TRIGGERS_H
#define FREC_RECORDER_TRIGGERS_H

#include "recorder/cooldown.h"

struct frec_trigger {
	struct frec_cause cause;
	struct frec_reason reason; /* of the last request */
	uint64_t until;		   /* when the cool-down ends */
	uint64_t written;	   /* bytes written to the busiest ring by the first request */
	uint64_t number;	   /* by which those who wait for the file know it; never 0 */
};

struct frec_triggers {
	size_t count;
	struct frec_trigger trigger[FREC_CAUSES_MAX];
	uint64_t last_number;
	uint64_t coalesced; /* requests that have no snapshot of their own, ever */
	bool hurry;	    /* the recorder is ending: requests do not wait */
};

/*
 * Holds a request back until `until`. `written` is how many bytes were ever written to the busiest
 * ring. Returns the number of the snapshot that is to come, or 0 if there is no room: the caller
 * then takes the snapshot at once.
 */
uint64_t frec__triggers_hold(struct frec_triggers *triggers, const struct frec_cause *cause,
			     const struct frec_reason *reason, uint64_t until, uint64_t written);

/* If the snapshot of held requests is due, moves the oldest such to `ret` and returns true; else
 * returns false. The caller frees ret->reason.fields. */
bool frec__triggers_due(struct frec_triggers *triggers, const struct frec_cooldown *cooldown,
			uint64_t written, uint64_t ring_size, struct frec_trigger *ret);

#endif
