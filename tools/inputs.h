/* SPDX-License-Identifier: MIT */
/* The snapshot files that a command reads together. */
#ifndef FREC_TOOLS_INPUTS_H
#define FREC_TOOLS_INPUTS_H

#include "export/read/snapshot.h"

/* Initialize this structure with zeroes. */
struct frec_inputs {
	struct frec_snapshot **snapshots;
	struct frec_snapshot *space;
	size_t count; /* how many are open */
};

/* Opens all files. Returns 0 or a negative errno. */
int frec__inputs_open(struct frec_inputs *inputs, char *const *paths, size_t count,
		      struct frec_error *reterr);
void frec__inputs_close(struct frec_inputs *inputs);

#endif
