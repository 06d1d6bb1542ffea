/* SPDX-License-Identifier: MIT */
/*
 * Mapping a recorder's memory (shm.h) into a service, and giving the service's events slots there.
 * The first four functions are for registration.c, which calls them under its lock.
 */
#ifndef FREC_RECORDER_SERVICE_SHM_ATTACH_H
#define FREC_RECORDER_SERVICE_SHM_ATTACH_H

#include <stdbool.h>

#include "flightrec/event.h"

/* Maps the memfd `fd`, and makes emits write into it. Returns what frec__shm_attach() returns. */
int frec__shm_map(int fd);

/* The first function turns on those events of an object that the recorder wants; the second turns
 * off all events of the object. The first returns 0, or what frec__shm_stack_prepare() returned if
 * call stacks that the recorder wants will be left out. */
int frec__shm_register(struct frec__object *object);
void frec__shm_unregister(struct frec__object *object);

/* Gives back the memory of a recorder that died without giving it back, for example of SIGKILL.
 * Until this call the memory stays allocated, because an emit makes no system call. */
void frec__shm_release(void);

/* Returns whether this process is attached to the memory of a recorder that is alive. Must not be
 * called while another thread attaches. */
bool frec__shm_is_attached(void);

/* Returns whether `fd` is the memfd that this process is attached to, and its recorder is alive.
 * Must not be called while another thread attaches. */
bool frec__shm_is_mapped(int fd);

/* In a child of fork(2), which has one thread: tells the recorder that this process was forked from
 * the service. Makes no system call. */
void frec__shm_announce_birth(void);

/* In a child of fork(2): tells the recorder that this process ends through exit(3). Returns whether
 * it has told it: not if this process is no child of fork(2), or attached to no memory of a
 * recorder that is alive. Makes no system call. */
bool frec__shm_announce_end(void);

#endif
