/* SPDX-License-Identifier: MIT */
/* A recorder from start to end, as the commands of the tool need it: engine, server and control
 * socket. */
#ifndef FREC_RECORDER_SESSION_H
#define FREC_RECORDER_SESSION_H

#include "recorder/server.h"

struct frec_session_options {
	struct frec_engine_options engine;
	const char *listen;  /* a socket for services of all users; NULL: none */
	const char *control; /* the control socket; NULL: PID.sock in frec__control_folder() */
	/* tells the service manager the state of the recorder: notify.h */
	bool notifies;
	/* records without a control socket if there can be none, and reports that */
	bool control_optional;
};

struct frec_session {
	struct frec_engine engine;
	struct frec_server server;
};

/* Gives up the capabilities that a recorder does not need (proto/rights.h), starts recording and
 * listens on the control socket. The session must not be moved until it ends.
 * Returns 0; or, after undoing everything, a negative errno with `reterr` filled in. */
int frec__session_start(struct frec_session *session, const struct frec_session_options *options,
			struct frec_error *reterr);
void frec__session_end(struct frec_session *session);

/*
 * Records service `pid`, which has the other end of `socket`, until the last process of the service
 * has ended or the service stops the recorder. The service gets one answer: that the recorder is
 * ready, or why it is not. Returns 0 or a negative errno.
 */
int frec__session_keep(const struct frec_session_options *options, uint32_t pid, int socket);

/* Writes the path of the folder of control sockets: /run/flightrec for root; for other users below
 * XDG_RUNTIME_DIR, else below /run/user/UID, else /tmp/flightrec-UID. */
void frec__control_folder(char *ret, size_t size);

#endif
