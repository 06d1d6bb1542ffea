/* SPDX-License-Identifier: MIT */
/* A folder that appears under its name whole or not at all. new_file.h does the same for a file. */
#ifndef FREC_PROTO_NEW_FOLDER_H
#define FREC_PROTO_NEW_FOLDER_H

#include "proto/error.h"
#include "proto/new_file.h"

/*
 * Creates a temporary folder (mode 0700) for `path` and opens it as folder->fd: create files in it
 * with openat(2). An empty folder at `path` is replaced; anything else there is an error. Returns 0
 * or a negative errno.
 */
int frec__new_folder_create(struct frec_new_file *folder, const char *path,
			    struct frec_error *reterr);

/* Gives the folder its name and closes it. Its files must be on disk already. Returns 0 or a
 * negative errno; on failure the temporary folder is removed. */
int frec__new_folder_commit(struct frec_new_file *folder, struct frec_error *reterr);

/* Removes the temporary folder with its files, if there still is one, and closes it. */
void frec__new_folder_discard(struct frec_new_file *folder);

#endif
