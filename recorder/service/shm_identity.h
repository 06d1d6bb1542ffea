/* SPDX-License-Identifier: MIT */
/*
 * The ids of the process and thread that an event in shared memory comes from, found without a
 * system call, because a thread that has entered seccomp may be killed for getpid(2).
 *
 * The process's id is kept in a page that the kernel wipes in each child of a fork. The id is
 * stored there when the process attaches to a recorder's memory, by frec_register(), and by a
 * handler of pthread_atfork(3) in the child. The handler gets it from the C library, which has the
 * id of the child's only thread. A child that was made otherwise, by clone(2) or _Fork(3), finds
 * the page wiped: its events have FREC__SHM_UNKNOWN in place of both ids until it calls
 * frec_register(). A child of vfork(2) shares its parent's memory, so its events have the ids of
 * the thread that made it.
 */
#ifndef FREC_RECORDER_SERVICE_SHM_IDENTITY_H
#define FREC_RECORDER_SERVICE_SHM_IDENTITY_H

#include <stdint.h>

/* Stored in place of an id that is not known, as the kernel does in its records. */
#define FREC__SHM_UNKNOWN UINT32_MAX

/* Lets code find a thread's variable without calling the loader, which may allocate memory when a
 * thread first uses the variable. */
#define FREC__SHM_TLS __attribute__((tls_model("initial-exec")))

/* The ids of this thread. After a fork `pid` is stale and differs from *frec__shm_process. */
struct frec__shm_self {
	uint32_t pid, tid;
};
extern __thread struct frec__shm_self frec__shm_self FREC__SHM_TLS;

/* This process's id, in the page that the kernel wipes; NULL before the process first attaches to a
 * recorder's memory. */
extern uint32_t *frec__shm_process;

/* Makes the page, unless it exists. Returns 0 or a negative errno. */
int frec__shm_identity_init(void);

/* Asks the kernel for the ids of this process and thread. Does nothing before the first attach. */
void frec__shm_identity_refresh(void);

/* Stores the id of a child of fork(3). Must be called in its only thread before that thread emits.
 * With glibc, makes no system call. */
void frec__shm_identity_forked(void);

/* Sets frec__shm_self. Async-signal-safe. With glibc, makes no system call. */
void frec__shm_identify(void);

#endif
