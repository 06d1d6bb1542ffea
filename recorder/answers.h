/* SPDX-License-Identifier: MIT */
/* What a recorder answers on its control socket: Reply of proto/control.proto. Nothing here blocks;
 * an answer that a client leaves no room for is lost. */
#ifndef FREC_RECORDER_ANSWERS_H
#define FREC_RECORDER_ANSWERS_H

#include "control.pb-c.h"
#include "recorder/engine.h"

struct frec_client;

/* Each sends one message to `socket`, and returns 0 or a negative errno. A descriptor, if it is not
 * -1, goes along. */
int frec__answer_done(int socket, const Flightrec__Control__Reply *reply, int fd);
int frec__answer_error(int socket, const char *error);

/* How events come in, to a client that attached or to the service that started the recorder. */
int frec__answer_ready(int socket, enum frec_transport transport, int fd);

/* The status, as far as the client may know it. */
int frec__answer_status(const struct frec_client *client, const struct frec_engine *engine);

#endif
