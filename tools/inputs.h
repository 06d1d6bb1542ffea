/* SPDX-License-Identifier: MIT */
/* The snapshot files that a command reads together. */
#ifndef FREC_TOOLS_INPUTS_H
#define FREC_TOOLS_INPUTS_H

#include "export/read/snapshot.h"

/* Initialize this structure with zeroes. */
struct frec_inputs {
	char *const *paths;
	int *files; /* a descriptor for each path; -1 after the file has been read */
	size_t file_count;
	struct frec_snapshot **snapshots;
	struct frec_snapshot *space; /* where these snapshots are */
	size_t count;		     /* how many have been read */
};

/* Opens all files, but reads nothing of them yet. `paths` must outlive `inputs`. Returns 0, or a
 * negative errno, after which nothing needs to be closed. */
int frec__inputs_open(struct frec_inputs *inputs, char *const *paths, size_t count,
		      struct frec_error *reterr);

/* Reads everything but the records of all files. Call it in the sandbox (sandbox.h). Returns 0 or a
 * negative errno. */
int frec__inputs_read(struct frec_inputs *inputs, struct frec_error *reterr);
void frec__inputs_close(struct frec_inputs *inputs);

#endif
