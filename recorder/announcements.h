/* SPDX-License-Identifier: MIT */
/*
 * What the kernel announces to a recorder that sleeps, besides the sideband (sideband.h):
 *
 *	CPUs		that come and go: a netlink socket of uevents
 *	the time	CLOCK_REALTIME was set, or the machine was suspended, which takes CPUs away
 *			without a uevent: a timer that is never due, but cancelled by these
 *	user events	that processes register: registrations.h
 *
 * An announcement says only that there is something to look at. What happened is read from the
 * kernel's own lists, so it does not matter if announcements are lost, as long as one is left.
 */
#ifndef FREC_RECORDER_ANNOUNCEMENTS_H
#define FREC_RECORDER_ANNOUNCEMENTS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "proto/error.h"

struct frec_registrations;

struct frec_announcements {
	int cpus, time;			   /* descriptors, or -1 */
	struct frec_registrations *events; /* or NULL */
};

#define FREC_ANNOUNCEMENTS_NONE ((struct frec_announcements){.cpus = -1, .time = -1})

/* Opens everything, the user events only if `user_events` is true. Returns 0, or a negative errno
 * with a message if something is missing, so that its user has to look now and then instead. What
 * could be opened then announces all the same. */
int frec__announcements_open(struct frec_announcements *announcements, bool user_events,
			     struct frec_error *reterr);
void frec__announcements_close(struct frec_announcements *announcements);

#define FREC_ANNOUNCEMENTS_MAX 3
/* Fills `fds` with the descriptors to poll, at most `room`. Returns how many, at most
 * FREC_ANNOUNCEMENTS_MAX. */
size_t frec__announcements_poll(const struct frec_announcements *announcements, struct pollfd *fds,
				size_t room);

/* Takes all announcements. Returns whether CPUs may have come or gone. */
bool frec__announcements_take(struct frec_announcements *announcements);

#endif
