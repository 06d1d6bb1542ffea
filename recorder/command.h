/* SPDX-License-Identifier: MIT */
/* A command that is recorded from its first event on. */
#ifndef FREC_RECORDER_COMMAND_H
#define FREC_RECORDER_COMMAND_H

#include <sys/types.h>

#include "recorder/session.h"

struct frec_command {
	pid_t pid;
	int go;	 /* our end of the socket on which the process waits for a packet, or -1 */
	int end; /* the process's pidfd, or -1 */
};

/*
 * Starts a process that will become the command. `arguments` end in NULL. The process waits for
 * frec__command_release(), so that nothing that it does as the command escapes the recorder. Call
 * this before the recorder starts, so that the process inherits nothing from the recorder, such as
 * its signal mask. Returns 0, or a negative errno with `reterr` filled in.
 */
int frec__command_start(struct frec_command *command, char **arguments, struct frec_error *reterr);

/* Makes the process exit instead of becoming the command. */
void frec__command_cancel(struct frec_command *command);

/* Watches the process, registers the events of its program (the file at `path`), and lets the
 * process become the command. From then on, the session ends when the command does. */
void frec__command_release(struct frec_command *command, struct frec_session *session,
			   const char *path, char **arguments);

/*
 * Records until the command ends or the recorder is asked to end. Takes a snapshot if the command
 * failed, unless the snapshot of a death explains the failure. Returns the command's status as
 * wait(2) gives it, or 0 if the command has not ended.
 */
int frec__command_run(struct frec_command *command, struct frec_session *session);

#endif
