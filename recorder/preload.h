/* SPDX-License-Identifier: MIT */
/* Registering the events of a program before it runs, so that its first event is recorded. */
#ifndef FREC_RECORDER_PRELOAD_H
#define FREC_RECORDER_PRELOAD_H

#include "recorder/source_set.h"

struct frec_preload {
	int events_fd; /* user_events_data, or -1; events stay registered while it is open */
};

void frec__preload_init(struct frec_preload *preload);
void frec__preload_deinit(struct frec_preload *preload);

/* Registers and opens the selected events that the file at `path`, and the libraries that it is
 * linked with, declare. Returns 0 or a negative errno. */
int frec__preload_file(struct frec_preload *preload, struct frec_source_set *sources,
		       const char *path, struct frec_error *reterr);

#endif
