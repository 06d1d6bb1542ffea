/* SPDX-License-Identifier: MIT */
/* The recorder of this process: its keeper, or the recorder that it has connected to. */
#ifndef FREC_SERVICE_EMBEDDED_H
#define FREC_SERVICE_EMBEDDED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "recorder/service/control_message.h"

/* Milliseconds that this process waits for an answer of its recorder. */
#define FREC_ANSWER_TIMEOUT 10000

struct frec_recorder {
	int socket;
	bool ours; /* at the other end is a keeper that this library started */
	pid_t pid; /* the process that started the recorder; a forked child keeps this value */
	/* identify the file behind `socket`, in case its number was closed and reused */
	dev_t device;
	ino_t inode;
	const char *transport; /* how events reach the recorder */
	char transport_why[FREC_REPLY_TEXT_MAX];
};

/* There is one, because the crash of a process is also one. `socket` is -1 without a recorder. */
extern struct frec_recorder frec__embedded;

/* Moves `fd` to a high number, because services close and reuse low ones. If RLIMIT_NOFILE allows
 * none, it stays. Returns the number. */
int frec__embedded_move_up(int fd);

/* Keeps the socket of a recorder that has given `reply`. `ours`: it is a keeper that this library
 * started. Owns `socket` from then on. Returns 0 or a negative errno. */
int frec__embedded_keep(int socket, const struct frec_reply *reply, bool ours);

/* Returns whether `socket` still refers to the recorder's socket: some services close all
 * descriptors that they did not open, and then the number can be reused. Async-signal-safe. */
bool frec__embedded_is_ours(int socket);

/* Returns whether one of `count` texts, which are `step` elements apart, has the key of `size`
 * bytes at `key`. The key of a text ends before its first '=' or at its end. */
bool frec__has_key(const char *const *texts, size_t count, size_t step, const char *key,
		   size_t size);

#endif
