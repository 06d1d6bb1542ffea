/* SPDX-License-Identifier: MIT */
/*
 * Talking to a recorder: SOCK_SEQPACKET over Unix sockets, one line of text a message, an fd along
 * with some.
 *
 *	trigger NAME	ok PATH | error TEXT	takes a snapshot, answers when it is written
 *	notify NAME	(no answer)		takes a snapshot
 *	attach		ok TRANSPORT + fd the sender is to be watched; the fd is user_events_data,
 *			or the memory of
 *						shm.h; there is none with usdt
 *	status		ok JSON
 *	core PID	ok yes | ok no the sender is about to unwind that process, which is dying;
 *			after `yes` the
 *						snapshot of its death waits for the next message, or
 *						for the hanging up
 *	stacks PID MISSING + fd	ok | error TEXT its threads' stacks, see core/stacks.h; so many are
 *				not among them
 *	end		(no answer)		the sender is about to end by itself
 *	stop		ok			ends the recorder (only for its owner)
 *
 * A recorder that a service started says `ready` or `error TEXT` first, unasked; with `ready` comes
 * the memory of shm.h where that is in use.
 *
 * Only who is trusted may send `core` and `stacks`.
 *
 * Who may what is decided by SO_PEERCRED: root and the recorder's own user may everything; any
 * other user may attach, trigger and ask for the status, and gets and learns only what belongs to
 * his own processes.
 */
#ifndef FREC_RECORDER_SERVICE_CONTROL_H
#define FREC_RECORDER_SERVICE_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define FREC_CONTROL_MESSAGE_MAX 65536
#define FREC_CONTROL_FOLDER "/run/flightrec"

/* Whether it can name a snapshot: 1 to FREC_TRIGGER_NAME_MAX printable ASCII characters.
 * Async-signal-safe. */
#define FREC_TRIGGER_NAME_MAX 100
bool frec__trigger_name_valid(const char *name);

/* All return 0 (or a descriptor, or a length) or a negative errno; none blocks longer than the
 * socket's peer. */
/* Whoever finds the name is let in. -EADDRINUSE: a recorder answers there, or it is no socket. Only
 * in the engine. */
int frec__control_listen(const char *path, mode_t mode);
int frec__control_connect(const char *path);
/* With fd >= 0 a copy of it goes along. Does not block; safe in signal handlers. */
int frec__control_send(int socket, const char *message, int fd);
/*
 * Waits up to `milliseconds` (-1: for ever). 0: the other end is gone. *ret_fd, where it is asked
 * for, is -1 unless a message came with a descriptor, which is then the caller's. A message larger
 * than `size` - 1 is dropped: -EMSGSIZE.
 */
ssize_t frec__control_receive(int socket, char *message, size_t size, int *ret_fd,
			      int milliseconds);

#endif
