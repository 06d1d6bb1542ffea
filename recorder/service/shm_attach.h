/* SPDX-License-Identifier: MIT */
/*
 * Mapping a recorder's memory (shm.h) into a service, and giving its events slots there. All but
 * frec__shm_is_mapped() are for registration.c, which calls them under its lock.
 */
#ifndef FREC_RECORDER_SERVICE_SHM_ATTACH_H
#define FREC_RECORDER_SERVICE_SHM_ATTACH_H

#include <stdbool.h>

#include "flightrec/event.h"

/* Maps the memfd and makes it what emits write to. Returns as frec__shm_attach(). */
int frec__shm_map(int fd);

/* Turns on the events of an object that the recorder wants; turns off all of them. */
void frec__shm_register(struct frec__object *object);
void frec__shm_unregister(struct frec__object *object);

/* Whether `fd` is the memfd that this process is attached to, and its recorder is alive. Not while
 * another thread attaches. */
bool frec__shm_is_mapped(int fd);

#endif
