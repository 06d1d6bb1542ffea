/* SPDX-License-Identifier: MIT */
/* Passes a core dump on to a server of core dumps at a socket, as the kernel does since Linux 6.16
 * for a kernel.core_pattern that begins with '@' or "@@". */
#ifndef FREC_RECORDER_CORE_SOCKET_H
#define FREC_RECORDER_CORE_SOCKET_H

#include "proto/error.h"

/*
 * Passes on the contents of the file `kept`, and then everything from the pipe `source`, to the
 * server that `pattern` names. With "@@" the server may refuse the core dump, and may ask us to
 * wait until it is done. A server that asks the kernel about its peer is told of this process, not
 * of the one that crashed. Returns 0 or a negative errno.
 */
int frec__core_socket_send(const char *pattern, int kept, int source, struct frec_error *reterr);

#endif
