/* SPDX-License-Identifier: MIT */
/* A folder of files that appears under its name whole or not at all: as new_file.h does for a
 * file. */
#ifndef FREC_PROTO_NEW_FOLDER_H
#define FREC_PROTO_NEW_FOLDER_H

#include "proto/error.h"
#include "proto/new_file.h"

/*
 * Makes a temporary folder (mode 0700) for `path`, and opens it as file->fd: make files in it with
 * openat(2). Nothing but an empty folder may be at `path` then. Returns 0 or a negative errno.
 */
int frec__new_folder_create(struct frec_new_file *folder, const char *path,
			    struct frec_error *reterr);

/* Gives the folder its name and closes it; its files are on disk already. On failure nothing is
 * left. */
int frec__new_folder_commit(struct frec_new_file *folder, struct frec_error *reterr);

/* Removes the temporary folder and the files in it, where there still is one, and closes. */
void frec__new_folder_discard(struct frec_new_file *folder);

#endif
