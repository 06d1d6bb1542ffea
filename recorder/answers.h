/* SPDX-License-Identifier: MIT */
/* The answers that a recorder sends on its control socket: Reply of proto/control.proto. Nothing
 * here blocks; an answer is lost if the client's socket has no room for it. */
#ifndef FREC_RECORDER_ANSWERS_H
#define FREC_RECORDER_ANSWERS_H

#include "control.pb-c.h"
#include "recorder/engine.h"

struct frec_client;

/* Each function of this file sends one message, and returns 0 or a negative errno. A copy of the
 * descriptor `fd` goes with the message, unless `fd` is -1. */
int frec__answer_done(int socket, const Flightrec__Control__Reply *reply, int fd);
int frec__answer_error(int socket, const char *error);

/* Sends a client that attached, or the service that started the recorder, the transport by which
 * its events are recorded, and the reason why it was chosen. */
int frec__answer_ready(int socket, const struct frec_engine *engine, int fd);

/* Sends a trusted client the whole status, and any other client only what concerns that client. */
int frec__answer_status(const struct frec_client *client, const struct frec_engine *engine);

#endif
