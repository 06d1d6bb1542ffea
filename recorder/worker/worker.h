/* SPDX-License-Identifier: MIT */
/* Starts a child process that works in a sandbox, and exchanges messages with it. */
#ifndef FREC_RECORDER_WORKER_WORKER_H
#define FREC_RECORDER_WORKER_WORKER_H

#include <sys/socket.h>
#include <sys/uio.h>

#include "proto/error.h"
#include "recorder/worker/sandbox.h"

struct frec_worker {
	int fd;	   /* the socket to the child, SOCK_SEQPACKET; -1: there is no child */
	pid_t pid; /* valid if `fd` is not -1 */
};

#define FREC_WORKER_NONE ((struct frec_worker){.fd = -1})

/*
 * Forks a child that enters the sandbox and then calls serve(context, socket). `serve` must return
 * when the other end of the socket is closed; the child then exits. The child shares no other
 * descriptor with the parent but the standard streams. Returns 0, or a negative errno if no process
 * can be started.
 */
int frec__worker_start(struct frec_worker *worker, const struct frec_sandbox *sandbox,
		       void (*serve)(void *context, int socket), void *context);

/* Kills the child. Does nothing if there is none. */
void frec__worker_stop(struct frec_worker *worker);

/* Sends one message, with a copy of the descriptor `fd` unless that is -1. Returns 0 or a negative
 * errno. Both ends may use this function. */
int frec__worker_send(int socket, const struct iovec *parts, size_t count, int fd);

/* Receives one message. Returns its size, 0 if the other end is closed, or a negative errno:
 * -EMSGSIZE if the message was larger than `size`. `*ret_fd` is the descriptor that came with the
 * message, which the caller must close, or -1; if `ret_fd` is NULL, the kernel closes any
 * descriptors that come. */
ssize_t frec__worker_receive(int socket, void *data, size_t size, int *ret_fd, int flags);

/* Reaps a child that failed, and kills it first if it still runs. Writes to `ret` what ended the
 * child, for example "signal 9". */
void frec__worker_reap(struct frec_worker *worker, char *ret, size_t size);

#endif
