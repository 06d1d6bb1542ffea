/* SPDX-License-Identifier: MIT */
/*
 * Holds the mapped files of processes whose deaths get a snapshot. When such a process dies, its
 * files may be deleted or replaced, or they are in another root folder or mount namespace. While
 * the process lives, /proc leads to the very files that it has mapped, so each of them is opened
 * with O_PATH as soon as the process or the mapping is noticed. The descriptor leads to that file
 * until the snapshot is written.
 *
 * A held file keeps its disk space and its mount busy, as its mapping does. So only processes that
 * matter (`holds`) have held files, and they are given up when the process has ended and no death
 * of it waits. There are at most FREC_HELD_FILES_MAX, or a quarter of the recorder's descriptors,
 * and each user has a share of them (proto/share.h). A file that is not held costs only frames and
 * names.
 */
#ifndef FREC_RECORDER_PROCESSES_HELD_FILES_H
#define FREC_RECORDER_PROCESSES_HELD_FILES_H

#include "recorder/processes/processes.h"

#define FREC_HELD_FILES_MAX 2048

/* Of at most this many files it is remembered that the events of their processes are recorded. */
#define FREC_EMITTING_FILES_MAX 1024

/* A file whose processes emit events. */
struct frec_emitting_file {
	uint64_t device, inode; /* as in stat(2) */
	char name[64];		/* the end of its path, cut off if it is longer */
};

struct frec_held_file {
	uint64_t device, inode; /* as in stat(2) */
	uint8_t build_id[20];
	uint8_t build_id_size; /* 0: unknown */
	int fd;		       /* O_PATH */
	uint32_t uid;	       /* the user whose share this takes */
	size_t users;	       /* mappings in the process table */
};

/* From now on holds the files of a process, and of the processes that it forks. Opens those that it
 * has now. */
void frec__held_files_begin(struct frec_process_table *table, struct frec_process *process);

/* Does so for all living processes that have mapped the file `fd`, and from now on for each one
 * that maps it: its events are recorded, so the death of the process may get a snapshot. */
void frec__held_files_emitters(struct frec_process_table *table, int fd);

/* Must be called for each new mapping of a file, and begins to hold the files of the process if
 * frec__held_files_emitters() was called for that file. */
void frec__held_files_mapped(struct frec_process_table *table, uint32_t pid,
			     const struct frec_mapping *map);

/* Opens the file of a new mapping of a process with `holds`, or puts that off. */
void frec__held_files_add(struct frec_process_table *table, struct frec_process *process,
			  struct frec_mapping *map);

/* Opens the files of mappings for which that was put off. Called after every look at the sideband
 * or at /proc. To read the mappings of a process takes long if it has many, so this waits if it
 * would take more than a twentieth of the time. */
void frec__held_files_update(struct frec_process_table *table);

/* Gives up the files of processes that have ended, unless is_needed() says that one is needed
 * still. */
void frec__held_files_release(struct frec_process_table *table,
			      bool (*is_needed)(void *context, const struct frec_process *),
			      void *context);

/* Returns the descriptors of all held files, ascending, which the caller frees, or NULL if there
 * are none or memory runs out. */
int *frec__held_files_list(const struct frec_process_table *table, size_t *ret_count);

/* Writes a path to `ret` that leads to the file, for this process and those that inherit its
 * descriptor. Returns `ret`. */
#define FREC_HELD_PATH_SIZE 32
const char *frec__held_file_path(const struct frec_held_file *file, char ret[FREC_HELD_PATH_SIZE]);

void frec__held_files_deinit(struct frec_process_table *table);

#endif
