// SPDX-License-Identifier: MIT
// Remembering which causes had a snapshot a short time ago.
#include "recorder/cooldown.h"

#include <string.h>

#include "proto/share.h"

// The part of a cool-down that passes even if events are overwritten.
#define EARLIEST(duration) ((duration) / 10)

uint32_t frec__cause_user(const struct frec_cause *cause)
{
	return cause->only_uid < 0 ? cause->uid : (uint32_t)cause->only_uid;
}

bool frec__cause_is(const struct frec_cause *a, const struct frec_cause *b)
{
	return a->kind == b->kind && a->signal == b->signal && a->pid == b->pid &&
	       a->only_uid == b->only_uid && a->uid == b->uid && !strcmp(a->name, b->name);
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

// Returns whether a user may have a cause at the index `at`, in place of the one that is there.
static bool may_replace(const struct frec_cooldown *cooldown, uint32_t uid, size_t at)
{
	struct frec_share share = {.uid = uid};

	for (size_t i = 0; i < FREC_CAUSES_MAX; i++) {
		const struct frec_recent_cause *recent = &cooldown->recent[i];

		if (i != at && recent->written)
			frec__share_count(&share, frec__cause_user(&recent->cause), 1);
	}
	return frec__share_has_room(&share, 1, FREC_CAUSES_MAX);
}

// Returns the place for a new cause of a user: one that is unused, or else the one whose file is
// the oldest, among those that leave each user its share.
static struct frec_recent_cause *place_for(struct frec_cooldown *cooldown, uint32_t uid)
{
	struct frec_recent_cause *oldest = NULL;

	for (size_t i = 0; i < FREC_CAUSES_MAX; i++) {
		struct frec_recent_cause *recent = &cooldown->recent[i];

		if (may_replace(cooldown, uid, i) && (!oldest || recent->written < oldest->written))
			oldest = recent;
	}
	return oldest;
}

void frec__cooldown_begin(struct frec_cooldown *cooldown, const struct frec_cause *cause,
			  uint64_t happened, uint64_t now)
{
	struct frec_recent_cause *recent = (struct frec_recent_cause *)find(cooldown, cause);
	bool goes_on = recent && now - recent->written < 2 * cooldown->duration;

	if (!recent)
		recent = place_for(cooldown, frec__cause_user(cause));
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
