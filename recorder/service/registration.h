/* SPDX-License-Identifier: MIT */
/* The list of loaded events and the lock that guards it; most of it is called by flightrec/event.h.
 * */
#ifndef FREC_RECORDER_SERVICE_REGISTRATION_H
#define FREC_RECORDER_SERVICE_REGISTRATION_H

/*
 * Attaches this process and its children to the memfd of a recorder, and turns on the loaded events
 * that this recorder wants. The caller keeps `fd`. Returns 0 or
 *
 *	-EALREADY	the process is attached already, and that recorder is alive
 *	-EOWNERDEAD	the recorder of this memory is gone
 *	-EPROTO		`fd` is no such memfd, or one of another version
 *
 * or the error of mapping it. Any thread may call it, but no signal handler.
 */
int frec__shm_attach(int fd);

#endif
