/* SPDX-License-Identifier: MIT */
/*
 * A file that appears under its name whole or not at all: written beside it under a temporary name
 * (O_EXCL, mode 0600), then fsync, rename, fsync of the folder.
 */
#ifndef FREC_PROTO_NEW_FILE_H
#define FREC_PROTO_NEW_FILE_H

#include <limits.h>
#include <stddef.h>

#include "proto/error.h"

struct frec_new_file {
	int fd;			      /* to write to; -1 when closed */
	int folder;		      /* descriptor of the folder */
	char name[NAME_MAX + 1];      /* the final name, in the folder */
	char temporary[NAME_MAX + 1]; /* the name for now */
	char path[PATH_MAX];	      /* for messages */
};

/* What new files and new folders begin with: takes `path` apart and opens the folder it is in (0 or
 * a negative errno); chooses the temporary name of the given attempt. */
int frec__new_file_locate(struct frec_new_file *file, const char *path, struct frec_error *reterr);
void frec__new_file_temporary(struct frec_new_file *file, unsigned int attempt);

/* Opens a temporary file for `path`, or for what `path` links to. -EEXIST: a device, a pipe or a
 * socket is there, which is left as it is. Returns 0 or a negative errno. */
int frec__new_file_create(struct frec_new_file *file, const char *path, struct frec_error *reterr);

/* Writes all of it, in however many calls that takes. */
int frec__new_file_write(struct frec_new_file *file, const void *data, size_t size,
			 struct frec_error *reterr);

/* Gives the file its name (replacing what had it) once it is on disk, and closes it. On failure
 * nothing is left. */
int frec__new_file_commit(struct frec_new_file *file, struct frec_error *reterr);

/* Removes the temporary file, where there still is one, and closes. Harmless after a commit. */
void frec__new_file_discard(struct frec_new_file *file);

#endif
