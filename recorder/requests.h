/* SPDX-License-Identifier: MIT */
/* Doing what clients ask for: Request of proto/control.proto. */
#ifndef FREC_RECORDER_REQUESTS_H
#define FREC_RECORDER_REQUESTS_H

#include "recorder/clients.h"
#include "recorder/engine.h"

/*
 * Receives one request, does what it asks for if the client may ask for that, and answers. Never
 * waits for the client. Returns false if the connection is to be closed.
 */
bool frec__request_serve(struct frec_engine *engine, struct frec_client *client);

/* Answers the client if it waits for the held snapshot of that number: see on_held() in
 * engine.h. */
void frec__request_held(struct frec_client *client, uint64_t number, const char *path,
			const char *error);

/* Ends what the client asked for, before its connection is closed. */
void frec__request_end_all(struct frec_engine *engine, const struct frec_client *client);

#endif
