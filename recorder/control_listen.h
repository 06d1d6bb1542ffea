/* SPDX-License-Identifier: MIT */
/* Listening at a control socket. */
#ifndef FREC_RECORDER_CONTROL_LISTEN_H
#define FREC_RECORDER_CONTROL_LISTEN_H

#include <sys/types.h>

/*
 * Makes a socket with the mode `mode` at `path`, and listens on it. A client can connect as soon as
 * the name exists. Returns a descriptor or a negative errno; -EADDRINUSE if a recorder listens
 * there, or if `path` is not a socket.
 */
int frec__control_listen(const char *path, mode_t mode);

/* Removes the sockets, *.sock, of recorders that were killed, and their hidden names. Only for a
 * folder in which nobody but this user can make files. */
void frec__control_sweep(const char *folder);

#endif
