/* SPDX-License-Identifier: MIT */
/* The list of loaded events, and the lock that guards it. flightrec/event.h declares the other
 * functions of registration.c. */
#ifndef FREC_RECORDER_SERVICE_REGISTRATION_H
#define FREC_RECORDER_SERVICE_REGISTRATION_H

/*
 * Attaches this process, and with it its future children, to the memfd of a recorder, and turns on
 * the loaded events that this recorder wants. `fd` stays the caller's. Returns 0 or
 *
 *	-EALREADY	the process is attached to a recorder that is alive
 *	-EOWNERDEAD	the recorder of this memory is gone
 *	-EPROTO		`fd` is not a recorder's memfd, or has another version's layout
 *
 * or the negative errno of mapping it. Any thread may call it, but no signal handler.
 */
int frec__shm_attach(int fd);

/* Gives back the memory that this process is attached to, if the recorder of that memory is dead.
 * Any thread may call it, but no signal handler. */
void frec__shm_detached(void);

/* Calls the function that frec_set_log() has set, if any. Any thread may call it, but no signal
 * handler. */
void frec__log(const char *message);

#endif
