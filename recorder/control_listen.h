/* SPDX-License-Identifier: MIT */
/* Listening at a control socket. */
#ifndef FREC_RECORDER_CONTROL_LISTEN_H
#define FREC_RECORDER_CONTROL_LISTEN_H

#include <sys/types.h>

/*
 * Makes a socket at `path`, with that mode, and listens: who finds the name is let in. Returns a
 * descriptor or a negative errno, -EADDRINUSE if a recorder listens there or it is no socket.
 */
int frec__control_listen(const char *path, mode_t mode);

#endif
