/* SPDX-License-Identifier: MIT */
/* Requests for snapshots that repeat an earlier request within the cool-down (cooldown.h). Those of
 * one cause wait here together and become one snapshot. The snapshot is taken after the last of
 * them, and so has every event that was emitted before the last request. */
#ifndef FREC_RECORDER_TRIGGERS_H
#define FREC_RECORDER_TRIGGERS_H

#include "recorder/cooldown.h"
#include "recorder/pace.h"

struct frec_trigger {
	struct frec_cause cause;
	struct frec_reason reason; /* of the last request */
	uint64_t until;		   /* when the cool-down ends */
	/* bytes that had been written to the busiest ring when the first request came */
	uint64_t written;
	/* identifies the snapshot for those who wait for it; never 0 */
	uint64_t number;
};

struct frec_triggers {
	size_t count;
	struct frec_trigger trigger[FREC_CAUSES_MAX];
	uint64_t last_number;
	/* requests that joined one that was waiting, since the start */
	uint64_t coalesced;
	bool hurry; /* the recorder is ending: requests do not wait */
};

/*
 * Holds a request back until `until`. `written` is how many bytes were ever written to the busiest
 * ring. Returns the number of the snapshot that is to come, or 0 if the user's share of the places
 * is used up.
 */
uint64_t frec__triggers_hold(struct frec_triggers *triggers, const struct frec_cause *cause,
			     const struct frec_reason *reason, uint64_t until, uint64_t written);

/* If the snapshot of a held request is due, moves the oldest such request to `ret` and returns
 * true; else returns false. Requests of users that rest are not due; those of root and of the
 * recorder's user come first. The caller frees ret->reason.fields. */
bool frec__triggers_due(struct frec_triggers *triggers, const struct frec_cooldown *cooldown,
			const struct frec_pace *pace, uint64_t written, uint64_t ring_size,
			struct frec_trigger *ret);

/* Returns whether a request of user `uid` is held, or of one of its processes. */
bool frec__triggers_has_user(const struct frec_triggers *triggers, uint32_t uid);

/* Returns how many requests of users that do not rest are held. */
size_t frec__triggers_count(const struct frec_triggers *triggers, const struct frec_pace *pace);

/* Moves the oldest held request to `ret`, whether its snapshot is due or not. Returns false if
 * there is none. The caller frees ret->reason.fields. */
bool frec__triggers_next(struct frec_triggers *triggers, struct frec_trigger *ret);

#endif
