/* SPDX-License-Identifier: MIT */
/* The control socket of a recorder: packets of SOCK_SEQPACKET over Unix sockets, some with a
 * descriptor. The messages are in proto/control.proto. */
#ifndef FREC_RECORDER_SERVICE_CONTROL_H
#define FREC_RECORDER_SERVICE_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

#define FREC_CONTROL_MESSAGE_MAX 65536 /* bytes */
#define FREC_CONTROL_FOLDER "/run/flightrec"

#define FREC_TRIGGER_NAME_MAX 100

/* Returns whether `name` is a valid name of a snapshot: 1 to FREC_TRIGGER_NAME_MAX printable ASCII
 * characters. Async-signal-safe. */
bool frec__trigger_name_valid(const char *name);

/* Connects to the socket `path`. Waits up to 10 s if the recorder is busy. Returns a descriptor or
 * a negative errno. */
int frec__control_connect(const char *path);
/* Sends a packet, with a copy of the descriptor `fd` if that is not -1. Does not block;
 * async-signal-safe. Returns 0 or a negative errno. */
int frec__control_send(int socket, const void *data, size_t size, int fd);
/* The same with a packet that lies in `count` pieces. */
int frec__control_send_pieces(int socket, const struct iovec *pieces, size_t count, int fd);
/*
 * Waits up to `milliseconds` (-1: for ever) for a packet. Returns its size, 0 if the other end is
 * gone, or a negative errno: -ETIMEDOUT, or -EMSGSIZE if the packet was dropped because it was
 * larger than `size` or had too many descriptors. *ret_fd is -1 unless the packet came with a
 * descriptor, which is then the caller's; `ret_fd` may be NULL.
 */
ssize_t frec__control_receive(int socket, void *data, size_t size, int *ret_fd, int milliseconds);

struct ucred;

/* The same, and sets *ret_sender to what the kernel says about the process that sent the packet, if
 * SO_PASSCRED is set on the socket. ret_sender->pid is 0 if the sender is not known. */
ssize_t frec__control_receive_from(int socket, void *data, size_t size, int *ret_fd,
				   struct ucred *ret_sender, int milliseconds);

#endif
