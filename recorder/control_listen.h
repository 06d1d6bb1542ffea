/* SPDX-License-Identifier: MIT */
/* Listening at a control socket. */
#ifndef FREC_RECORDER_CONTROL_LISTEN_H
#define FREC_RECORDER_CONTROL_LISTEN_H

#include <sys/types.h>

/*
 * Makes a socket with that mode at `path`, and listens on it. Whoever finds the name can connect at
 * once. Returns a descriptor or a negative errno; -EADDRINUSE if a recorder listens there, or if
 * `path` is not a socket.
 */
int frec__control_listen(const char *path, mode_t mode);

#endif
