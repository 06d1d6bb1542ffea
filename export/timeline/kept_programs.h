/* SPDX-License-Identifier: MIT */
/* What the recorder kept of programs (Program in flightrec.proto), for the unwinder. */
#ifndef FREC_EXPORT_TIMELINE_KEPT_PROGRAMS_H
#define FREC_EXPORT_TIMELINE_KEPT_PROGRAMS_H

#include "export/read/snapshot.h"
#include "unwind/unwind.h"

struct frec_kept_programs {
	struct frec_program *program;
	size_t count;
	void **memory; /* of each program */
};

/* Takes the programs out of a snapshot, which must outlive them. What is damaged, or exceeds a
 * limit of limits.h, is left out and counted. Returns 0 or -ENOMEM. */
int frec__kept_programs_init(struct frec_kept_programs *programs,
			     const struct frec_snapshot *snapshot);
void frec__kept_programs_deinit(struct frec_kept_programs *programs);

#endif
