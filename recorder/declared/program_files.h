/* SPDX-License-Identifier: MIT */
/* Finding the file of a program or library by the name that people have for it. */
#ifndef FREC_RECORDER_DECLARED_PROGRAM_FILES_H
#define FREC_RECORDER_DECLARED_PROGRAM_FILES_H

#include <stddef.h>
#include <sys/types.h>

#include "proto/error.h"

/* Where the dynamic loader looks without being told otherwise. */
#define FREC_LIBRARY_FOLDERS \
	"/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu:/lib/aarch64-linux-gnu:" \
	"/usr/lib/aarch64-linux-gnu:/lib64:/usr/lib64:/lib:/usr/lib:/usr/local/lib"

struct frec_program_file {
	int fd;
	char *path; /* as this process would name it, or the one that runs it */
	dev_t device;
	ino_t inode;
};

/* Each file once, whatever it is called and however many run it. */
struct frec_program_files {
	size_t count;
	struct frec_program_file *file;
};

/*
 * Opens a regular file for reading and nothing else: what a process calls its mapping can lead
 * anywhere by now, and just to open a device can do things. Returns a descriptor or a negative
 * errno.
 */
int frec__open_regular(const char *path);

/*
 * Adds the files that `name` means: with a '/' in it the file of that path; else every program of
 * that name in PATH, every one of that name that runs, every library of that name in the loader's
 * folders or mapped by what runs. Returns 0 or a negative errno with words: -ENOENT where there is
 * none.
 */
int frec__program_files_find(struct frec_program_files *files, const char *name,
			     struct frec_error *reterr);
void frec__program_files_deinit(struct frec_program_files *files);

#endif
