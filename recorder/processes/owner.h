/* SPDX-License-Identifier: MIT */
/*
 * Whose data is it? This decides which user may see what a process did: its records, stacks,
 * registers, arguments, mappings and death. Everything that is written for one user asks here.
 *
 * A process belongs to a user if that user could read its memory by the kernel's rules (ptrace(2)):
 *
 *  - Its real, effective, saved and file system uid are that user's, so it is no set-uid program
 *    and no server that acts for the user for a moment. The same holds for the four gids.
 *  - The kernel calls it dumpable: it has had no other rights since its last exec, executes a file
 *    that the user may read, and has not asked to be hidden (prctl(2), PR_SET_DUMPABLE).
 *  - The user exists in the recorder's user namespace. The kernel shows all users that do not by
 *    one number, the overflow uid, so a process with this number belongs to nobody.
 *
 * A process that belongs to nobody, or whose owner is not known, is seen only in the files of the
 * recorder's owner.
 */
#ifndef FREC_RECORDER_PROCESSES_OWNER_H
#define FREC_RECORDER_PROCESSES_OWNER_H

#include <stdbool.h>
#include <stdint.h>

struct frec_owner {
	uint32_t uid; /* the effective uid */
	bool known;   /* false: nothing here is known */
	bool alone;   /* the process belongs to `uid`, and to nobody else */
	/* The process may have had another owner before this time, in nanoseconds of
	 * CLOCK_MONOTONIC. frec__owner_read() leaves it 0. */
	uint64_t since;
};

/*
 * Finds out the owner of a process. `folder` is a descriptor of /proc/PID, which keeps meaning the
 * same process if the pid is used again. Returns 0, or -ESRCH if the process has ended or has
 * already released its memory, so that nobody can tell any more.
 */
int frec__owner_read(int folder, struct frec_owner *ret);

/* Returns whether a file that is written for the user `only_uid` may have what is known about a
 * process. -1 is the recorder's own user, whose files have everything. */
bool frec__owner_shows(const struct frec_owner *owner, int64_t only_uid);

/* Returns whether the process is known to have another effective uid than `uid`. */
bool frec__owner_is_other(const struct frec_owner *owner, uint32_t uid);

#endif
