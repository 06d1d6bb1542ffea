/* SPDX-License-Identifier: MIT */
/* The crash report: what happened, and the events before it, for the person on call. */
#ifndef FREC_EXPORT_SHOW_H
#define FREC_EXPORT_SHOW_H

#include "export/output.h"
#include "export/read/snapshot.h"
#include "export/timeline/stacks.h"
#include "export/read/text.h"

struct frec_show_options {
	size_t last;  /* show this many events of the process that died, and half as many others */
	bool all;     /* show all events instead */
	bool colored; /* with a terminal's escape sequences */
	bool json;    /* one JSON object instead of text */
	/* where to find program files; NULL: at the paths from which they ran */
	const struct frec_unwinder_options *symbols;
};

/* Writes the report. Return value and *ret_warning are as for frec__export. Does not commit the
 * output. */
int frec__show(struct frec_snapshot *snapshot, const struct frec_show_options *options,
	       struct frec_output *output, struct frec_error *ret_warning,
	       struct frec_error *reterr);

#endif
