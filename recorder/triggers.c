// SPDX-License-Identifier: MIT
// Gathering requests of one cause until their cool-down is over.
#include "recorder/triggers.h"

#include <stdlib.h>
#include <string.h>

#include "proto/clocks.h"
#include "proto/share.h"

static struct frec_trigger *find(struct frec_triggers *triggers, const struct frec_cause *cause)
{
	for (size_t i = 0; i < triggers->count; i++) {
		if (frec__cause_is(&triggers->trigger[i].cause, cause))
			return &triggers->trigger[i];
	}
	return NULL;
}

// Replaces the fields, which live only as long as the request, by a copy. If memory runs out, the
// snapshot has no fields.
static void keep_fields(struct frec_reason *reason)
{
	struct frec_pairs *copy = reason->fields ? malloc(sizeof(*copy)) : NULL;

	if (copy)
		*copy = *reason->fields;
	reason->fields = copy;
}

static bool has_room(const struct frec_triggers *triggers, const struct frec_cause *cause)
{
	struct frec_share share = {.uid = frec__user_of(cause->only_uid)};

	for (size_t i = 0; i < triggers->count; i++)
		frec__share_count(&share, frec__user_of(triggers->trigger[i].cause.only_uid), 1);
	return frec__share_has_room(&share, 1, FREC_CAUSES_MAX);
}

uint64_t frec__triggers_hold(struct frec_triggers *triggers, const struct frec_cause *cause,
			     const struct frec_reason *reason, uint64_t until, uint64_t written)
{
	struct frec_trigger *trigger = find(triggers, cause);
	struct frec_reason before;

	if (!trigger) {
		if (!has_room(triggers, cause))
			return 0;
		trigger = &triggers->trigger[triggers->count++];
		*trigger = (struct frec_trigger){.cause = *cause,
						 .reason = *reason,
						 .until = until,
						 .written = written,
						 .number = ++triggers->last_number};
		keep_fields(&trigger->reason);
		return trigger->number;
	}
	before = trigger->reason;
	free((void *)before.fields);
	trigger->reason = *reason;
	keep_fields(&trigger->reason);
	frec__reason_coalesce(&trigger->reason, &before);
	triggers->coalesced++;
	return trigger->number;
}

static void take(struct frec_triggers *triggers, size_t at, struct frec_trigger *ret)
{
	struct frec_trigger *trigger = &triggers->trigger[at];

	*ret = *trigger;
	triggers->count--;
	memmove(trigger, trigger + 1, (triggers->count - at) * sizeof(*trigger));
}

bool frec__triggers_due(struct frec_triggers *triggers, const struct frec_cooldown *cooldown,
			const struct frec_pace *pace, uint64_t written, uint64_t ring_size,
			struct frec_trigger *ret)
{
	uint64_t now = frec__monotonic();
	size_t first = triggers->count;

	// Held requests are in the order in which the first of each cause came.
	for (size_t i = 0; i < triggers->count; i++) {
		const struct frec_trigger *trigger = &triggers->trigger[i];
		bool stranger = frec__is_for_stranger(trigger->cause.only_uid);

		if ((stranger && first < i) ||
		    frec__pace_rests(pace, frec__user_of(trigger->cause.only_uid), now) ||
		    (!triggers->hurry &&
		     !frec__cooldown_is_over(cooldown, trigger->until, now,
					     (int64_t)(written - trigger->written) >=
						     (int64_t)(ring_size / 4))))
			continue;
		first = i;
		if (!stranger)
			break;
	}
	if (first == triggers->count)
		return false;
	take(triggers, first, ret);
	return true;
}

bool frec__triggers_has_user(const struct frec_triggers *triggers, uint32_t uid)
{
	for (size_t i = 0; i < triggers->count; i++) {
		if (triggers->trigger[i].reason.by_uid == uid ||
		    frec__user_of(triggers->trigger[i].cause.only_uid) == uid)
			return true;
	}
	return false;
}

size_t frec__triggers_count(const struct frec_triggers *triggers, const struct frec_pace *pace)
{
	uint64_t now = frec__monotonic();
	size_t count = 0;

	for (size_t i = 0; i < triggers->count; i++)
		count += !frec__pace_rests(pace, frec__user_of(triggers->trigger[i].cause.only_uid),
					   now);
	return count;
}

bool frec__triggers_next(struct frec_triggers *triggers, struct frec_trigger *ret)
{
	if (!triggers->count)
		return false;
	take(triggers, 0, ret);
	return true;
}
