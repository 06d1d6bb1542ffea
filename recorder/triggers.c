// SPDX-License-Identifier: MIT
// Gathering requests of one cause until their cool-down is over.
#include "recorder/triggers.h"

#include <stdlib.h>
#include <string.h>

#include "proto/clocks.h"

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

uint64_t frec__triggers_hold(struct frec_triggers *triggers, const struct frec_cause *cause,
			     const struct frec_reason *reason, uint64_t until, uint64_t written)
{
	struct frec_trigger *trigger = find(triggers, cause);
	struct frec_reason before;

	if (!trigger) {
		if (triggers->count == FREC_CAUSES_MAX)
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

bool frec__triggers_due(struct frec_triggers *triggers, const struct frec_cooldown *cooldown,
			uint64_t written, uint64_t ring_size, struct frec_trigger *ret)
{
	uint64_t now = frec__monotonic();

	// Held requests are in the order in which the first of each cause came.
	for (size_t i = 0; i < triggers->count; i++) {
		struct frec_trigger *trigger = &triggers->trigger[i];

		if (!triggers->hurry &&
		    !frec__cooldown_is_over(cooldown, trigger->until, now,
					    written - trigger->written >= ring_size / 4))
			continue;
		*ret = *trigger;
		triggers->count--;
		memmove(trigger, trigger + 1, (triggers->count - i) * sizeof(*trigger));
		return true;
	}
	return false;
}
