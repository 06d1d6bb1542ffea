// SPDX-License-Identifier: MIT
// Decides whether a user may take more.
#include "proto/share.h"

#include <unistd.h>

bool frec__is_stranger(uint32_t uid)
{
	static uint32_t own; // 0: not known yet, or root

	if (!own)
		own = geteuid();
	return uid != 0 && uid != own;
}

void frec__share_count(struct frec_share *share, uint32_t holder, size_t amount)
{
	share->all += amount;
	if (frec__is_stranger(holder))
		share->strangers += amount;
	if (holder == share->uid)
		share->own += amount;
}

bool frec__share_has_room(const struct frec_share *share, size_t amount, size_t total)
{
	if (share->all + amount > total)
		return false;
	return !frec__is_stranger(share->uid) ||
	       (share->own + amount <= total / 4 && share->strangers + amount <= total / 4 * 3);
}
