/* SPDX-License-Identifier: MIT */
/* Finding the running recorders and sending them requests. The messages are in
 * proto/control.proto. */
#ifndef FREC_TOOLS_RECORDERS_H
#define FREC_TOOLS_RECORDERS_H

#include <stdint.h>

#include "control.pb-c.h"
#include "recorder/service/control_message.h"
#include "tools/options.h"

/* A recorder may take this long to answer, because writing large rings to a slow disk takes
 * time. */
#define FREC_ANSWER_SECONDS 120

/* Which recorders to ask: the one that listens at `socket`, or the one whose own pid is `pid`, or
 * if neither is given, all recorders of this user. */
struct frec_recorders {
	const char *socket;
	uint32_t pid;
};

/* Called with the reply of each recorder that did what it was asked for. A non-zero return becomes
 * the exit status of the command. */
typedef int frec_answered(void *context, const Flightrec__Control__Reply *reply);

/*
 * Sends `request` to all recorders that `which` selects before it waits for the first answer, so
 * that their snapshots are of the same moment. Prints a message if the recorder that was named
 * cannot be asked, if no recorder is running, and for each recorder that does not answer or answers
 * with an error. Returns an exit status.
 */
int frec__recorders_ask(const struct frec_recorders *which, const struct frec_request *request,
			frec_answered *answered, void *context);

/* For .parse of --pid; .data points to a uint32_t. */
int frec__parse_pid_option(void *pid, const char *value, struct frec_error *reterr);

/* The table of --socket and --pid, to initialise an array of struct frec_option. */
#define FREC_RECORDERS_OPTIONS(which) \
	{ \
		{.name = "socket", \
		 .value = "SOCKET", \
		 .text = &(which)->socket, \
		 .help = "only the recorder that listens there"}, \
			{.name = "pid", \
			 .value = "PID", \
			 .parse = frec__parse_pid_option, \
			 .data = &(which)->pid, \
			 .help = "only the recorder with this process number"}, \
		{ \
			0 \
		} \
	}

#endif
