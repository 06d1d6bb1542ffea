/* SPDX-License-Identifier: MIT */
/*
 * How the loop divides its time between users. What a stranger (share.h) asks for, and a snapshot
 * of a stranger's death, is work that the loop does at once. After that the stranger has to rest
 * for three times as long as the work took, and all strangers rest for a third of that time. So one
 * stranger gets at most a quarter of the loop's time, and all strangers together at most three
 * quarters. While a user rests, its requests stay in their sockets and its deaths in their places.
 * Root and the recorder's own user never rest.
 */
#ifndef FREC_RECORDER_PACE_H
#define FREC_RECORDER_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many strangers are told apart. If there are more, those who have to rest the longest are
 * remembered. */
#define FREC_PACE_USERS_MAX 64

/* Who is served. */
enum frec_pace_mode {
	FREC_PACE_SHARED,  /* all but those who rest */
	FREC_PACE_TRUSTED, /* nobody but root and the recorder's own user */
	FREC_PACE_ALL,	   /* all: nobody rests */
};

struct frec_pace {
	enum frec_pace_mode mode;
	/* nanoseconds of CLOCK_MONOTONIC, as all times here */
	uint64_t strangers; /* until when the time of all strangers is used up */
	struct frec_pace_user {
		uint32_t uid;
		uint64_t until; /* until when this user's time is used up */
	} user[FREC_PACE_USERS_MAX];
};

/* Counts work for user `uid` that the loop did from `began` to `ended`. */
void frec__pace_spend(struct frec_pace *pace, uint32_t uid, uint64_t began, uint64_t ended);

/* Returns whether nothing is done for the user now. */
bool frec__pace_rests(const struct frec_pace *pace, uint32_t uid, uint64_t now);

#endif
