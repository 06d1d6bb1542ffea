/* SPDX-License-Identifier: MIT */
/*
 * How a process ended, for recorders that may not watch signals being delivered. It is learnt from
 * the pidfd, from wait(2) and from /proc, with no rights beyond those of the process's own user.
 */
#ifndef FREC_RECORDER_PROCESSES_PROCESS_END_H
#define FREC_RECORDER_PROCESSES_PROCESS_END_H

#include <stdint.h>

/*
 * `pidfd` must have been opened while the process lived; `pid` is its number. The status is as of
 * wait(2); the process is not reaped. Returns 0, -EAGAIN while it lives or the status is not known
 * yet, or -ENODATA if it can no longer be known: somebody has waited for the process, and the
 * kernel kept no record of its end (before Linux 6.15).
 */
int frec__process_end(int pidfd, uint32_t pid, int *ret_status);

#endif
