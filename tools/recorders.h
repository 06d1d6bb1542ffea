/* SPDX-License-Identifier: MIT */
/* The recorders that run, and asking them. The messages are in recorder/control.h. */
#ifndef FREC_TOOLS_RECORDERS_H
#define FREC_TOOLS_RECORDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How long a recorder may take for an answer: a snapshot of large rings onto a slow disk takes its
 * time. */
#define FREC_ANSWER_SECONDS 120

/* Which recorders are meant: the one at `socket`, the process `pid`, or, with neither, all of this
 * user's. */
struct frec_recorders {
	const char *socket;
	uint32_t pid;
};

/*
 * Called once per recorder, where it listens and what it said behind its "ok" or "error"; `answer`
 * is NULL where it went away without a word or said nothing in time. A non-zero return becomes the
 * exit status of the command.
 */
typedef int frec_answered(void *context, const char *socket, bool ok, const char *answer);

/*
 * Sends `request` to all of them before it waits for the first answer, so that snapshots are of one
 * moment. Prints why nobody could be asked. Returns an exit status.
 */
int frec__recorders_ask(const struct frec_recorders *which, const char *request,
			frec_answered *answered, void *context);

/* The number behind --pid. 0: it is none. */
uint32_t frec__parse_pid(const char *text);

#endif
