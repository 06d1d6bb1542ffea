/* SPDX-License-Identifier: MIT */
/*
 * Control groups, version 1 and 2 and both at once: the memory that a recorder may use, and leaving
 * the groups of a service.
 *
 * `root` is where the groups are mounted, and `own` is a file in the format of /proc/PID/cgroup. A
 * container may see only its own part of the groups, while `own` has a path from outside: then the
 * file at the root is that of the container.
 */
#ifndef FREC_RECORDER_CONTROL_GROUPS_H
#define FREC_RECORDER_CONTROL_GROUPS_H

#include <stddef.h>
#include <stdint.h>

#define FREC_CONTROL_GROUPS "/sys/fs/cgroup"

/* The bytes of memory that all processes of the own group may use together: the lowest limit of the
 * group and those around it. UINT64_MAX: there is no limit. */
uint64_t frec__control_groups_memory(const char *root, const char *own);

/* Moves this process from the groups in which limits are set, to the outermost ones, as far as it
 * may. It stays in the group by which a service manager knows it (version 1). */
void frec__control_groups_leave(const char *root, const char *own);

#endif
