/* SPDX-License-Identifier: MIT */
/* Finds the files of a program or library by its name. */
#ifndef FREC_RECORDER_DECLARED_PROGRAM_FILES_H
#define FREC_RECORDER_DECLARED_PROGRAM_FILES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/error.h"

/* The folders in which the dynamic loader looks by default. */
#define FREC_LIBRARY_FOLDERS \
	"/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu:/lib/aarch64-linux-gnu:" \
	"/usr/lib/aarch64-linux-gnu:/lib64:/usr/lib64:/lib:/usr/lib:/usr/local/lib"

struct frec_program_file {
	int fd;
	char *path; /* as seen by this process, or by the process that uses the file */
	dev_t device;
	ino_t inode;
};

/* A list that contains each file once, even if the file has several names or many processes use
 * it. */
struct frec_program_files {
	size_t count;
	struct frec_program_file *file;
};

/*
 * Opens a file that a process has mapped from `start` to `end`, if it is a regular file
 * (proto/regular_file.h). Opens the mapped file itself, through /proc/PID/map_files. Without the
 * right to do that, opens `path` in the root folder of the process, and follows no link out of that
 * folder, because the owner of the file may have replaced it. If the process is gone, opens `path`,
 * but only if no part of the path is a symbolic link. Returns the same as frec__open_regular().
 */
int frec__open_mapped(uint32_t pid, uint64_t start, uint64_t end, const char *path);

/*
 * Adds the files that have the name `name`. A name with a '/' is the path of one file. Any other
 * name means each program of that name in PATH, each running program of that name, and each library
 * of that name in the loader's folders or mapped by a process. Of the files that processes use,
 * those that are not trusted (file_reader.h) are reported and left out. Returns 0, or a negative
 * errno with a message; -ENOENT if there is none.
 */
int frec__program_files_find(struct frec_program_files *files, const char *name,
			     struct frec_error *reterr);
void frec__program_files_deinit(struct frec_program_files *files);

#endif
