/* SPDX-License-Identifier: MIT */
/* A command that is recorded from its first event on. */
#ifndef FREC_RECORDER_COMMAND_H
#define FREC_RECORDER_COMMAND_H

#include <sys/types.h>

#include "recorder/session.h"

struct frec_command {
	pid_t pid;
	int go; /* a socket: the process waits for a packet on it, -1 */
};

/*
 * Starts a process that will become the command. `arguments` end in NULL. It waits for
 * frec__command_release(), so that nothing of it escapes the recorder; it must be started before
 * the recorder, whose signal mask it must not inherit. Returns 0 or a negative errno.
 */
int frec__command_start(struct frec_command *command, char **arguments);

/* Makes the process exit instead of becoming the command. */
void frec__command_cancel(struct frec_command *command);

/* Watches the process, registers the events of its program, the file at `path`, and lets it become
 * the command. The session then ends with it. */
void frec__command_release(struct frec_command *command, struct frec_session *session,
			   const char *path, char **arguments);

/*
 * Records until the command ends or the recorder is asked to. Takes a snapshot if the command
 * failed, unless the snapshot of a death explains it. Returns its status as wait(2) has it, 0 if it
 * has not ended.
 */
int frec__command_run(struct frec_command *command, struct frec_session *session);

#endif
