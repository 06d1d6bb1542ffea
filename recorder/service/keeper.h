/* SPDX-License-Identifier: MIT */
/* Starts the keeper: the recorder that belongs to this process and outlives it. */
#ifndef FREC_SERVICE_KEEPER_H
#define FREC_SERVICE_KEEPER_H

#include "flightrec/recorder.h"

/* Writes "WHAT: WHY", or WHAT if WHY is empty, where the caller of frec_recorder_start() finds the
 * reason of a failure. Returns `code`. */
int frec__start_fail(const struct frec_recorder_options *options, int code, const char *what,
		     const char *why);

/* Starts a keeper, and sets *ret_socket to the socket at which it answers when it records. The
 * caller owns the socket. Returns 0, or calls frec__start_fail() and returns a negative errno. */
int frec__keeper_start(const struct frec_recorder_options *options, int *ret_socket);

#endif
