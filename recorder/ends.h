/* SPDX-License-Identifier: MIT */
/*
 * Births and ends of watched processes, for a recorder that may not watch the kernel. It has no
 * sideband, so births are found in /proc, and ends through pidfds. A process that is born and gone
 * between two readings of /proc is not seen.
 */
#ifndef FREC_RECORDER_ENDS_H
#define FREC_RECORDER_ENDS_H

#include <poll.h>

#include "recorder/deaths.h"
#include "recorder/processes/processes.h"
#include "recorder/ring_set.h"
#include "recorder/watchlist.h"

/* The most processes whose ends are waited for at the same time. Each user has a share of them
 * (share.h). */
#define FREC_ENDS_MAX 1024
/* Milliseconds after which a zombie whose exit status cannot be read is given up. */
#define FREC_ENDS_PATIENCE 1000

struct frec_awaited;

struct frec_ends {
	bool needed; /* false: the sideband reports ends, and nothing is done here */
	/* The parts of the engine that are used here. All of them outlive this structure. */
	struct frec_process_table *processes;
	const struct frec_watchlist *watchlist;
	const struct frec_ring_set *rings;
	struct frec_deaths *deaths;

	/* The socket to the service whose keeper this is, or NULL. While any process holds the
	 * other end of the socket, the service lives, so a process that ended in an unknown way has
	 * made way for another one. */
	const int *life_line;
	uint32_t first; /* the process that started the recorder, or 0 */
	/* a process held that other end at the last frec__ends_notice() */
	bool held;
	bool announced; /* since the last refresh a process has announced its end */

	size_t count;
	struct frec_awaited *awaited;
	/* when to look in /proc again for births and names, in nanoseconds of CLOCK_MONOTONIC */
	uint64_t next_births, next_names;
};

/* From now on, waits for the end of a process. `announces`: the process announces an end of its own
 * will, so that an end without an announcement is a death if the exit status cannot be read. */
void frec__ends_await(struct frec_ends *ends, const struct frec_process *process, int64_t only_uid,
		      bool announces);

/* Returns whether the end of the process is awaited and has not come. */
bool frec__ends_is_alive(const struct frec_ends *ends, uint32_t pid);

/* Call this when the process has announced that it is about to end of its own will. The
 * announcement matters only if the exit status of the process cannot be read. */
void frec__ends_expect_exit(struct frec_ends *ends, uint32_t pid);

/*
 * Finds out which processes have ended. Read what services announce after this and before
 * frec__ends_refresh(). Then a process that has ended has left its socket to a process that lives,
 * or to one whose announcement has been read, or to none.
 */
void frec__ends_notice(struct frec_ends *ends);

/* Looks for new descendants of watched processes, and records the deaths of awaited processes that
 * have ended. */
void frec__ends_refresh(struct frec_ends *ends);

/* Fills `fds` with the pidfds to poll, at most `room`. Returns how many. */
size_t frec__ends_poll(const struct frec_ends *ends, struct pollfd *fds, size_t room);

void frec__ends_deinit(struct frec_ends *ends);

#endif
