/* SPDX-License-Identifier: MIT */
/* Notices of finished snapshots for clients that asked for them: struct frec_notice of
 * <flightrec/recorder.h>. A client that does not read its notices loses them; nothing waits. */
#ifndef FREC_RECORDER_NOTICES_H
#define FREC_RECORDER_NOTICES_H

#include "recorder/clients.h"
#include "recorder/snapshot/snapshot.h"

/*
 * Makes the pair of sockets on which the client gets its notices from now on. Returns the client's
 * end, which the caller sends and closes, or a negative errno. It is always a socket of ours that
 * is written to: a descriptor that a client chose could be anything.
 */
int frec__notices_open(struct frec_client *client);

/* Tells all clients of a snapshot that they may know of. If it could not be written, `path` is NULL
 * and `code` a negative errno. */
void frec__notices_send(struct frec_clients *clients, const struct frec_snapshot_job *job,
			const char *path, int code);

#endif
