/* SPDX-License-Identifier: MIT */
/* A recorder from start to end, as `run`, `record` and the keeper need it: engine, server and
 * control socket. */
#ifndef FREC_TOOLS_SESSION_H
#define FREC_TOOLS_SESSION_H

#include "recorder/server.h"
#include "tools/record_options.h"

struct frec_session {
	struct frec_engine engine;
	struct frec_server server;
};

/* Starts recording and listens on the control socket. Returns 0, or a negative errno with `reterr`
 * filled in. */
int frec__session_start(struct frec_session *session, const struct frec_record_options *options,
			struct frec_error *reterr);
void frec__session_end(struct frec_session *session);

#endif
