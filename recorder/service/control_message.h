/* SPDX-License-Identifier: MIT */
/*
 * The messages of proto/control.proto, as far as clients that depend on libc alone need them:
 * encoded and decoded by hand, without allocation. All fields of a request are encoded; fields of a
 * reply that only the flightrec program reads are skipped.
 */
#ifndef FREC_RECORDER_SERVICE_CONTROL_MESSAGE_H
#define FREC_RECORDER_SERVICE_CONTROL_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Request.Kind */
enum frec_request_kind {
	FREC_REQUEST_TRIGGER = 1,
	FREC_REQUEST_NOTIFY,
	FREC_REQUEST_ATTACH,
	FREC_REQUEST_STATUS,
	FREC_REQUEST_CORE,
	FREC_REQUEST_STACKS,
	FREC_REQUEST_END,
	FREC_REQUEST_STOP,
	FREC_REQUEST_NOTICES,
	FREC_REQUEST_LEAVE,
};

/* The values of Transport in flightrec.proto that concern services. */
#define FREC_REPLY_USER_EVENTS 1
#define FREC_REPLY_USDT 2
#define FREC_REPLY_SHM 3

/* The largest size of a sentence in a reply, in bytes, with its NUL. */
#define FREC_REPLY_TEXT_MAX 512

/* The largest size of an encoded request, in bytes. */
#define FREC_REQUEST_SIZE_MAX 8192

/* The most pairs in Request.pair, and the most bytes of a key and of a value. */
#define FREC_REQUEST_PAIRS_MAX 16
#define FREC_REQUEST_KEY_MAX 64
#define FREC_REQUEST_VALUE_MAX 256

struct frec_request {
	enum frec_request_kind kind;
	const char *name; /* NULL: none */
	uint32_t pid, missing;
	/* 2 * `pairs` texts, each key before its value; a value that is NULL is sent as "(null)" */
	const char *const *pair;
	size_t pairs;
	const char *const *tags; /* more pairs, as KEY=VALUE, ended by NULL; NULL: none */
};

struct frec_reply {
	bool done;
	/* `error` and `transport_why` are a sentence each, cut if too long; "" if there is none */
	char error[FREC_REPLY_TEXT_MAX];
	uint64_t transport;
	char transport_why[FREC_REPLY_TEXT_MAX];
	bool awaited;
};

/* Returns whether the `size` bytes at `key` are a valid key of a pair: 1 to FREC_REQUEST_KEY_MAX
 * printable ASCII characters without ' ' and '='. Async-signal-safe. */
bool frec__request_key_valid(const char *key, size_t size);

/* Encodes a request into the `size` bytes at `ret`. Returns the encoded size, or -EMSGSIZE if that
 * exceeds `size`. Async-signal-safe. */
ssize_t frec__request_encode(const struct frec_request *request, uint8_t *ret, size_t size);

/* Decodes a reply. Returns 0, or -EBADMSG if `data` is not a reply. */
int frec__reply_decode(const uint8_t *data, size_t size, struct frec_reply *ret);

/* Sends a request, with a copy of the descriptor `fd` if that is not -1. Does not block;
 * async-signal-safe; takes less than 2 KiB of stack. Returns 0 or a negative errno. */
int frec__request_send(int socket, const struct frec_request *request, int fd);

/*
 * Waits up to `milliseconds` (-1: for ever) for a reply. Returns 0, -EPIPE if the other end is
 * gone, -ETIMEDOUT, or another negative errno. *ret_fd is -1 unless a descriptor came with the
 * reply, which is then the caller's; `ret_fd` may be NULL.
 */
int frec__reply_receive(int socket, struct frec_reply *ret, int *ret_fd, int milliseconds);

#endif
