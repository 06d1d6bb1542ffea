/* SPDX-License-Identifier: MIT */
/*
 * The service's end of the shm transport (see shm.h): attaching to a recorder's memfd, and writing
 * into it. Depends on libc alone. Attaching and registering happen under the lock of
 * registration.c; emitting takes none.
 */
#ifndef FREC_RECORDER_SERVICE_SHM_EMIT_H
#define FREC_RECORDER_SERVICE_SHM_EMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "flightrec/event.h"
#include "recorder/service/shm.h"

/*
 * What a service has of a recorder's memory. Once published it does not change and is never freed:
 * a thread that was stopped in the middle of an emit may go on at any time.
 */
struct frec__shm {
	/* whose recorder is dead; nobody follows it, but leak checkers */
	struct frec__shm *previous;
	void *map; /* of map_size bytes: the header, read-only; then all that follows */
	size_t map_size;
	struct frec_shm_table *table;
	char *controls, *rings;
	size_t control_size;
	uint64_t ring_size;
	uint32_t cpus; /* rings but for the shared one */
	uint32_t key;
	uint32_t generation; /* upper half of frec__event.shm_slot of the events registered here */
	int guard;	     /* protection key of all but the header, -1: none */
	bool sequences;	     /* the C library registers threads for restartable sequences */
	bool given_back;
	const uint32_t *owner;
};

/* What emits go to, NULL: nothing yet. Stored with release in shm_attach.c. */
extern struct frec__shm *frec__shm;

/* This process's id, in a page that the kernel wipes in every forked child; NULL before the first
 * attachment. */
extern uint32_t *frec__shm_process;

/*
 * Attaches this process and its children to the memfd of a recorder, of which the caller keeps
 * `fd`, and turns on the loaded events that this recorder wants. Returns 0 or
 *
 *	-EALREADY	another recorder has this process
 *	-EOWNERDEAD	the recorder is gone already
 *	-EPROTO		this is no such memfd, or one of another version
 *
 * or what else mapping it fails with. Any thread may call it, but no signal handler.
 */
int frec__shm_attach(int fd);

/*
 * Attaches to the memfd that `flightrec run` has handed down to this process, if it has:
 * FREC_SHM_VARIABLE holds its number. The descriptor stays open, for programs that this one starts.
 * Once, before any event is registered.
 */
void frec__shm_inherit(void);

/* Whether that is the memfd of the recorder which has this process: not while another thread
 * attaches. */
bool frec__shm_is_mapped(int fd);

/* What of that registration.c does under its lock; all of these have to be called there. */
int frec__shm_map(int fd);
void frec__shm_register(struct frec__object *object);
void frec__shm_unregister(struct frec__object *object);

/* The bytes before and behind `flat` that belong to frec__shm_emit_flat. */
#define FREC__SHM_ROOM_BEFORE sizeof(struct frec_shm_record)
#define FREC__SHM_ROOM_BEHIND 8

/*
 * Writes a record of an event, given as to frec__emit, and leaves the vector as it was but for the
 * strings' lengths. Where the recorder is gone it turns the event off instead. Returns false, and
 * has written nothing, when strings must be cut first. Async-signal-safe, no system call but the
 * first in a thread or process, for its id, and the last, when memory is given back. Leaves errno
 * alone.
 */
bool frec__shm_emit(struct frec__event *event, struct iovec *vector, const uint16_t *places);

/* The same for `size` bytes of `flat`: 8 bytes of common header and at most FREC_PAYLOAD_MAX of
 * payload. */
void frec__shm_emit_flat(struct frec__event *event, void *flat, size_t size);

/* When, and on which CPU, an emit began. */
struct frec__shm_moment {
	uint64_t time; /* nanoseconds of CLOCK_MONOTONIC */
	uint32_t cpu;  /* UINT32_MAX: not known, or of no use */
};

/* Where a ring's position and counts are. */
static inline struct frec_shm_control *frec__shm_control_of(const struct frec__shm *shm,
							    size_t ring)
{
	return (void *)(shm->controls + ring * shm->control_size);
}

static inline uint64_t frec__shm_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Lets this thread write to what has the protection key; returns what to close it with. For keys
 * from 0 on. */
uint32_t frec__shm_guard_open(int key);
void frec__shm_guard_close(uint32_t before);

#endif
