// SPDX-License-Identifier: MIT
// Remembering which causes had a snapshot a short time ago.
#include "recorder/cooldown.h"

#include <string.h>

// The part of a cool-down that passes even if events are overwritten.
#define EARLIEST(duration) ((duration) / 10)

bool frec__cause_is(const struct frec_cause *a, const struct frec_cause *b)
{
	return a->kind == b->kind && a->signal == b->signal && a->pid == b->pid &&
	       a->only_uid == b->only_uid && !strcmp(a->name, b->name);
}

static const struct frec_recent_cause *find(const struct frec_cooldown *cooldown,
					    const struct frec_cause *cause)
{
	for (size_t i = 0; i < FREC_CAUSES_MAX; i++) {
		const struct frec_recent_cause *recent = &cooldown->recent[i];

		if (recent->written && frec__cause_is(&recent->cause, cause))
			return recent;
	}
	return NULL;
}

uint64_t frec__cooldown_until(const struct frec_cooldown *cooldown, const struct frec_cause *cause,
			      uint64_t now)
{
	const struct frec_recent_cause *recent = find(cooldown, cause);

	if (!recent || now - recent->written >= cooldown->duration)
		return 0;
	return recent->written + cooldown->duration;
}

bool frec__cooldown_is_loop(const struct frec_cooldown *cooldown, const struct frec_cause *cause,
			    uint64_t start)
{
	const struct frec_recent_cause *recent = find(cooldown, cause);

	return recent && start > recent->since;
}

void frec__cooldown_begin(struct frec_cooldown *cooldown, const struct frec_cause *cause,
			  uint64_t happened, uint64_t now)
{
	struct frec_recent_cause *recent = (struct frec_recent_cause *)find(cooldown, cause);
	bool goes_on = recent && now - recent->written < 2 * cooldown->duration;

	if (!recent) {
		recent = &cooldown->recent[0];
		for (size_t i = 1; i < FREC_CAUSES_MAX; i++) {
			if (cooldown->recent[i].written < recent->written)
				recent = &cooldown->recent[i];
		}
	}
	*recent = (struct frec_recent_cause){
		.cause = *cause, .since = goes_on ? recent->since : happened, .written = now};
}

void frec__reason_coalesce(struct frec_reason *later, const struct frec_reason *before)
{
	later->coalesced += before->coalesced + 1;
	later->coalesced_since = before->coalesced ? before->coalesced_since : before->time;
}

bool frec__cooldown_is_over(const struct frec_cooldown *cooldown, uint64_t until, uint64_t now,
			    bool overwritten)
{
	uint64_t duration = cooldown->duration;

	return now >= until || (overwritten && now + duration >= until + EARLIEST(duration));
}
