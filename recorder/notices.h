/* SPDX-License-Identifier: MIT */
/* Notices of finished snapshots for clients that asked for them: struct frec_notice of
 * <flightrec/recorder.h>. A client that does not read its notices loses them; nothing waits for
 * it. */
#ifndef FREC_RECORDER_NOTICES_H
#define FREC_RECORDER_NOTICES_H

#include "recorder/clients.h"
#include "recorder/snapshot/snapshot.h"

/*
 * Makes the pair of sockets on which the client gets its notices from now on. Returns the client's
 * end, which the caller sends and closes, or a negative errno. The recorder makes the socket that
 * it writes to, because a descriptor that a client chose could be anything.
 */
int frec__notices_open(struct frec_client *client);

/* Sends a notice of a snapshot to all clients that may know of it. If the snapshot could not be
 * written, `path` is NULL and `code` a negative errno. */
void frec__notices_send(struct frec_clients *clients, const struct frec_snapshot_job *job,
			const char *path, int code);

#endif
