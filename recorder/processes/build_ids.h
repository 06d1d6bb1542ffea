/* SPDX-License-Identifier: MIT */
/*
 * Finds the build-ids that the kernel does not report: for example those of mappings that are older
 * than the recorder, and that of the vDSO. A build-id is read from the very file that is mapped, or
 * not at all, because a wrong build-id would lead to wrong function names.
 */
#ifndef FREC_RECORDER_PROCESSES_BUILD_IDS_H
#define FREC_RECORDER_PROCESSES_BUILD_IDS_H

#include <sys/types.h>

#include "recorder/processes/processes.h"

/* A cache of the build-ids of files, because hundreds of processes map the same library. */
struct frec_build_ids;

/*
 * Fills in map->build_id if it can be found. `proc` is the open /proc/PID of the process that has
 * the mapping. `device` and `inode` identify the mapped file, as in /proc/PID/maps and in the
 * sideband. `*ids` starts as NULL and is allocated on demand.
 */
void frec__build_ids_find(struct frec_build_ids **ids, int proc, dev_t device, ino_t inode,
			  struct frec_mapping *map);
void frec__build_ids_free(struct frec_build_ids *ids);

/* Opens the mapped file with O_PATH. The arguments are as for frec__build_ids_find(). Returns the
 * descriptor, or -1 if the file cannot be found. */
int frec__mapped_file_open(int proc, dev_t device, ino_t inode, const struct frec_mapping *map);

/* Returns whether two paths of mappings are the same, apart from the kernel's remark that the file
 * was deleted. */
bool frec__is_same_path(const char *a, const char *b);

/* Fills in map->build_id of a mapping of the vDSO, which is the same in all 64-bit processes. Does
 * nothing for a 32-bit process. */
void frec__build_ids_vdso(struct frec_mapping *map);

#endif
