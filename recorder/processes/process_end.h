/* SPDX-License-Identifier: MIT */
/*
 * Finds out how a process ended, for recorders without the right to see signals being delivered.
 * The sources are wait(2), a pidfd and /proc, which need no rights beyond those of the process's
 * own user.
 */
#ifndef FREC_RECORDER_PROCESSES_PROCESS_END_H
#define FREC_RECORDER_PROCESSES_PROCESS_END_H

#include <stdbool.h>
#include <stdint.h>

/* Returns whether the process of a pidfd has ended; false if `pidfd` is negative. The process may
 * still be a zombie, but its descriptors are closed. */
bool frec__pidfd_is_over(int pidfd);
/* The same by the pid of a process. If no pidfd can be had, only ESRCH means that the process has
 * ended. */
bool frec__process_is_over(uint32_t pid);

/*
 * `pidfd` must have been opened while the process was alive; `pid` is its pid. Sets `ret_status` to
 * the status that wait(2) would return, but does not reap the process. Returns 0; -EAGAIN while the
 * process lives or its status is not known yet; or -ENODATA if the status can no longer be known,
 * because somebody has waited for the process and the kernel kept no record of its end (before
 * Linux 6.15).
 */
int frec__process_end(int pidfd, uint32_t pid, int *ret_status);

#endif
