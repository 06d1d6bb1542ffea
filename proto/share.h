/* SPDX-License-Identifier: MIT */
/*
 * How much each user may take of the things of which a recorder has a fixed number: connections,
 * sources, places for deaths and so on. Of each, a user other than root and the recorder's own may
 * take a quarter, and all such users together may take three quarters. So no user can use up what
 * another one needs, and there is always something left for root.
 *
 * The users that this applies to are called strangers. Whoever keeps the things counts them anew
 * when somebody wants another one:
 *
 *	struct frec_share share = {.uid = uid};
 *
 *	for (size_t i = 0; i < places->count; i++)
 *		frec__share_count(&share, places->place[i].uid, 1);
 *	if (!frec__share_has_room(&share, 1, PLACES_MAX))
 *		return -EDQUOT;
 */
#ifndef FREC_PROTO_SHARE_H
#define FREC_PROTO_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The user of a process that is not known. This user is a stranger. */
#define FREC_USER_UNKNOWN UINT32_MAX

struct frec_share {
	uint32_t uid; /* the user who wants more */
	size_t all, strangers, own;
};

/* Returns whether the user is a stranger: neither root nor the user that this recorder runs as. */
bool frec__is_stranger(uint32_t uid);

/* As frec__is_stranger(), for the user whose records a snapshot is limited to; -1: all users. */
static inline bool frec__is_for_stranger(int64_t only_uid)
{
	return only_uid >= 0 && frec__is_stranger((uint32_t)only_uid);
}

/* Returns the user to whom something belongs that holds the records of `only_uid`, or root if that
 * is -1, because only root and the recorder's own user see the records of all. */
static inline uint32_t frec__user_of(int64_t only_uid)
{
	return only_uid < 0 ? 0 : (uint32_t)only_uid;
}

/* Counts `amount` that user `holder` has. */
void frec__share_count(struct frec_share *share, uint32_t holder, size_t amount);

/* Returns whether share->uid may take `amount` more, if there are `total` of the things. */
bool frec__share_has_room(const struct frec_share *share, size_t amount, size_t total);

#endif
