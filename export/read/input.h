/* SPDX-License-Identifier: MIT */
/*
 * A snapshot as commands and exports read it: the file is opened, and then the sources that its
 * payloads describe (eventheader.h) are added to it.
 */
#ifndef FREC_EXPORT_READ_INPUT_H
#define FREC_EXPORT_READ_INPUT_H

#include "export/read/snapshot.h"

/* Like frec__snapshot_open() and frec__snapshot_open_fd(), but they add the described sources. */
int frec__input_open(struct frec_snapshot *ret, const char *path, struct frec_error *reterr);
int frec__input_open_fd(struct frec_snapshot *ret, int fd, const char *name,
			struct frec_error *reterr);

/* Frees everything. `snapshot` may be all zeroes. */
void frec__input_close(struct frec_snapshot *snapshot);

#endif
