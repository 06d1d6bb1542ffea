/* SPDX-License-Identifier: MIT */
/*
 * Rights that the caller of the tool does not have.
 *
 * An administrator may give the tool file capabilities, as `flightrec doctor` proposes, so that
 * users without rights can record. Then whoever runs it has chosen its environment, arguments and
 * files, and must get nothing more from that than a recording. So a command that needs no right
 * gives the borrowed ones up before it does anything else, and one that needs them uses nothing of
 * the environment: not where programs, folders or sockets are.
 *
 * Without borrowed rights, as for root itself, these functions do nothing.
 */
#ifndef FREC_TOOLS_BORROWED_RIGHTS_H
#define FREC_TOOLS_BORROWED_RIGHTS_H

/* Becomes a process with the rights of the caller alone. Returns 0, or a negative errno: the tool
 * must then end. */
int frec__borrowed_rights_return(void);

/* From then on this process and its libraries find no environment variable. */
void frec__borrowed_rights_forget_environment(void);

#endif
