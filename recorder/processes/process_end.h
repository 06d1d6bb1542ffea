/* SPDX-License-Identifier: MIT */
/*
 * How a process ended, where nobody may watch signals being delivered: what its pidfd, its parent
 * and /proc tell. No right is needed but that of the user whose process it is.
 */
#ifndef FREC_RECORDER_PROCESSES_PROCESS_END_H
#define FREC_RECORDER_PROCESSES_PROCESS_END_H

#include <stdint.h>

/*
 * Asks how the process ended that `pidfd` stands for, which was opened while it lived; `pid` is its
 * number. The status is that of wait(2), which this leaves to its parent. Returns 0, -EAGAIN while
 * it lives or cannot be told yet, or -ENODATA when it cannot be told any more: somebody has waited
 * for it, and this kernel keeps no record of that (before Linux 6.15).
 */
int frec__process_end(int pidfd, uint32_t pid, int *ret_status);

#endif
