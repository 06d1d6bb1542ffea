// SPDX-License-Identifier: MIT
// Remembers which users have used up their time.
#include "recorder/pace.h"

#include "proto/share.h"

// Nanoseconds that a user may be ahead, so that a few short requests in a row need not wait.
#define AHEAD UINT64_C(20000000)

static void use_up(uint64_t *until, uint64_t began, uint64_t duration)
{
	*until = (*until > began ? *until : began) + duration;
}

// Returns the place of a user, or the place of the user who has to rest the least.
static struct frec_pace_user *place_of(struct frec_pace *pace, uint32_t uid)
{
	struct frec_pace_user *least = &pace->user[0];

	for (size_t i = 0; i < FREC_PACE_USERS_MAX; i++) {
		struct frec_pace_user *user = &pace->user[i];

		if (user->uid == uid && user->until)
			return user;
		if (user->until < least->until)
			least = user;
	}
	*least = (struct frec_pace_user){.uid = uid};
	return least;
}

void frec__pace_spend(struct frec_pace *pace, uint32_t uid, uint64_t began, uint64_t ended)
{
	if (!frec__is_stranger(uid) || ended <= began)
		return;
	use_up(&place_of(pace, uid)->until, began, (ended - began) * 4);
	use_up(&pace->strangers, began, (ended - began) * 4 / 3);
}

bool frec__pace_rests(const struct frec_pace *pace, uint32_t uid, uint64_t now)
{
	if (pace->mode == FREC_PACE_ALL || !frec__is_stranger(uid))
		return false;
	if (pace->mode == FREC_PACE_TRUSTED || pace->strangers > now + AHEAD)
		return true;
	for (size_t i = 0; i < FREC_PACE_USERS_MAX; i++) {
		if (pace->user[i].uid == uid && pace->user[i].until > now + AHEAD)
			return true;
	}
	return false;
}
