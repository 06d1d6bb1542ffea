/* SPDX-License-Identifier: MIT */
/*
 * Writing events into the shared memory of a recorder (shm.h). Emitting takes no lock; shm_attach.c
 * prepares what an emit needs, under the lock of registration.c.
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
 * A recorder's memory as this process has mapped it. Once frec__shm points to it, only `emptied`
 * changes, and it is never freed, because a thread that was stopped in the middle of an emit may go
 * on at any time.
 */
struct frec__shm {
	/* the memory of a recorder that is dead; only leak checkers follow this pointer */
	struct frec__shm *previous;
	void *map; /* map_size bytes: the header, mapped read-only, then the other sections */
	size_t map_size;
	struct frec_shm_table *table;
	char *controls, *rings;
	size_t control_size;
	uint64_t ring_size;
	uint32_t cpus; /* the number of rings without the shared one */
	uint32_t key;
	uint32_t generation; /* upper half of frec__event.shm_slot of the events registered here */
	int guard;	     /* protection key of all but the header, -1: none */
	bool sequences;	     /* the C library registers threads for restartable sequences */
	bool emptied;	     /* the recorder is dead and its pages were given back */
	const uint32_t *owner;
};

/* The memory that emits write to, or NULL. Only shm_attach.c changes this pointer. */
extern struct frec__shm *frec__shm;

/* This process's id, in a page that the kernel wipes in each forked child; NULL before the process
 * first attaches to a recorder's memory. */
extern uint32_t *frec__shm_process;

/* frec__shm_emit_flat() may overwrite this many bytes before and after the data at `flat`. */
#define FREC__SHM_ROOM_BEFORE sizeof(struct frec_shm_record)
#define FREC__SHM_ROOM_AFTER 8

/*
 * Writes a record of an event. `vector` and `places` are as for frec__emit(); in the vector only
 * the lengths of strings are changed. If the recorder is gone, turns the event off instead. Returns
 * true, or false without having written anything if a string is NULL or the payload is too large.
 * Async-signal-safe. Makes no system call, except at the first emit of a thread or process, for its
 * id, and after the recorder's death, to give the memory back. Leaves errno alone.
 */
bool frec__shm_emit(struct frec__event *event, struct iovec *vector, const uint16_t *places);

/* Writes a record with the `size` bytes at `flat`: FREC__COMMON_SIZE bytes of common header and at
 * most FREC_PAYLOAD_MAX of payload. */
void frec__shm_emit_flat(struct frec__event *event, void *flat, size_t size);

/* The time and CPU at which an emit began. */
struct frec__shm_moment {
	uint64_t time; /* nanoseconds of CLOCK_MONOTONIC */
	uint32_t cpu;  /* higher than any CPU's number if the thread has no sequences */
};

/* The position and the counts of a ring. */
static inline struct frec_shm_control *frec__shm_control_of(const struct frec__shm *shm,
							    size_t ring)
{
	return (void *)(shm->controls + ring * shm->control_size);
}

/* CLOCK_MONOTONIC as the kernel tells it. */
static inline uint64_t frec__shm_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

#endif
