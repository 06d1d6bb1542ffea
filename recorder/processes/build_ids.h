/* SPDX-License-Identifier: MIT */
/*
 * Build-ids of what is mapped, where the kernel does not tell them: of mappings from before the
 * recorder, and of the vDSO. They are read from the very file that is mapped, or not at all: a
 * wrong one would give wrong names.
 */
#ifndef FREC_RECORDER_PROCESSES_BUILD_IDS_H
#define FREC_RECORDER_PROCESSES_BUILD_IDS_H

#include <sys/types.h>

#include "recorder/processes/processes.h"

/* Files that were read, so that each is read once: a library is mapped by hundreds of processes. */
struct frec_build_ids;

/*
 * Fills in map->build_id, if it is to be had, of a mapping of the process whose folder of /proc is
 * open as `proc`. `device` and `inode` are those of the mapped file, as /proc/PID/maps or the
 * sideband tells them. `*ids` is NULL at first, and made here.
 */
void frec__build_ids_find(struct frec_build_ids **ids, int proc, dev_t device, ino_t inode,
			  struct frec_mapping *map);
void frec__build_ids_free(struct frec_build_ids *ids);

/* The same for the vDSO of 64-bit processes, which is the same in all of them. */
void frec__build_ids_vdso(struct frec_mapping *map);

#endif
