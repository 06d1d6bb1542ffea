/* SPDX-License-Identifier: MIT */
/*
 * Control groups of version 1, version 2, or both at once: finds how much memory they let a
 * recorder use, and leaves the groups of a service.
 *
 * `root` is the folder where the groups are mounted, and `own` a file in the format of
 * /proc/PID/cgroup. In a container, `root` may have only the container's part of the groups, while
 * the paths in `own` are those outside. Those do not exist below `root` then, and the limit is read
 * from `root` itself.
 */
#ifndef FREC_RECORDER_CONTROL_GROUPS_H
#define FREC_RECORDER_CONTROL_GROUPS_H

#include <stddef.h>
#include <stdint.h>

#define FREC_CONTROL_GROUPS "/sys/fs/cgroup"

/* Returns how many bytes of memory the processes of the groups in `own` may use together: the
 * lowest limit of these groups and of those around them. UINT64_MAX: there is no limit. */
uint64_t frec__control_groups_memory(const char *root, const char *own);

/* Moves this process out of the groups in `own`, which may have limits, into the outermost ones, as
 * far as that is permitted. The process stays in the group by which a service manager identifies it
 * (version 1). */
void frec__control_groups_leave(const char *root, const char *own);

#endif
