/* SPDX-License-Identifier: MIT */
/*
 * A file that appears under its name whole or not at all. It is written under a temporary name in
 * the same folder (O_EXCL, mode 0600), and then synced and renamed; at last the folder is synced.
 */
#ifndef FREC_PROTO_NEW_FILE_H
#define FREC_PROTO_NEW_FILE_H

#include <limits.h>
#include <stddef.h>

#include "proto/error.h"

struct frec_new_file {
	int fd;			      /* the temporary file, to write to; -1: closed */
	int folder;		      /* descriptor of the folder that the file is in */
	char name[NAME_MAX + 1];      /* the final name */
	char temporary[NAME_MAX + 1]; /* the temporary name */
	char path[PATH_MAX];	      /* for error messages */
};

/*
 * Steps that new_file.c and new_folder.c share. The first function splits `path` and opens the
 * folder that contains it. Returns 0 or a negative errno. The second sets the temporary name, which
 * differs for each `attempt`.
 */
int frec__new_file_locate(struct frec_new_file *file, const char *path, struct frec_error *reterr);
void frec__new_file_temporary(struct frec_new_file *file, unsigned int attempt);

/* Returns -EPERM if a part of `path`, also the last one, is a symbolic link of a user who is
 * neither this one nor root, because the owner of a link decides where it leads. Returns 0
 * otherwise. */
int frec__check_links(const char *path, struct frec_error *reterr);

/* Creates a temporary file for `path`, or for the file that `path` links to. Returns 0 or a
 * negative errno. -EEXIST: `path` is a device, a pipe or a socket, which is left as it is. -EPERM:
 * frec__check_links() refuses `path`; or the file exists, belongs to a user who is neither this one
 * nor root, and is in a folder where everybody may make files, as in /tmp. */
int frec__new_file_create(struct frec_new_file *file, const char *path, struct frec_error *reterr);

/* Writes all of the data, in as many calls as it takes. Returns 0 or a negative errno; on failure
 * the temporary file is removed. */
int frec__new_file_write(struct frec_new_file *file, const void *data, size_t size,
			 struct frec_error *reterr);

/* Syncs the file, gives it its name, replacing another file of that name, and closes it. Returns 0
 * or a negative errno; on failure the temporary file is removed. */
int frec__new_file_commit(struct frec_new_file *file, struct frec_error *reterr);

/* Removes the temporary file, if there still is one, and closes it. Harmless after a commit. */
void frec__new_file_discard(struct frec_new_file *file);

#endif
