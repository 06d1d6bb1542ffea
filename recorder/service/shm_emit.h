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

#include "flightrec/event.h"
#include "recorder/service/shm.h"
#include "recorder/service/shm_identity.h"
#include "recorder/service/shm_stack.h"

/*
 * A recorder's memory as this process has mapped it. Once frec__shm points to it, only `ahead`
 * changes, in the child of a fork. The structure is never freed, because a thread that was stopped
 * in the middle of an emit may go on at any time.
 */
struct frec__shm {
	/* the memory of the previous recorder, which is dead, or NULL; this pointer only keeps leak
	 * checkers from reporting that structure as leaked */
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
	bool sequences;	     /* threads can use restartable sequences */
	/* how many nanoseconds CLOCK_MONOTONIC of this process is ahead of the kernel's */
	int64_t ahead;
	uint64_t space; /* this process's pid namespace, as in frec_shm_record.cpu */
	const struct frec_shm_header *header; /* = map */
};

/* The memory that emits write to, or NULL. Only shm_attach.c changes this pointer. */
extern struct frec__shm *frec__shm;

/* frec__shm_emit_flat() may overwrite this many bytes before and after the data at `flat`. */
#define FREC__SHM_ROOM_BEFORE sizeof(struct frec_shm_record)
#define FREC__SHM_ROOM_AFTER 8

/*
 * Writes a record of an event whose payload is ready: `vector` and `size` are as for
 * frec__emit_vector(), `places` is its `shape` without the first element, and `size` is at most
 * FREC_PAYLOAD_MAX. If the recorder is gone, turns the event off instead. Async-signal-safe. With
 * glibc, makes no system call, because the caller may have entered seccomp. Leaves errno alone.
 * Returns 0.
 */
int frec__shm_emit(struct frec__event *event, const struct iovec *vector, const uint16_t *places,
		   size_t size);

/* Returns whether the recorder that turned the event on is alive. If the recorder is gone, turns
 * the event off, as an emit does. Async-signal-safe. */
bool frec__shm_listens(struct frec__event *event);

/* Writes a record with the `size` bytes at `flat`: FREC__COMMON_SIZE bytes of common header and at
 * most FREC_PAYLOAD_MAX of payload. */
void frec__shm_emit_flat(struct frec__event *event, void *flat, size_t size);

/* The same with a call stack. The chain's `count` and words are copied to where they belong in the
 * record, so there must be room for them before `flat`, beside FREC__SHM_ROOM_BEFORE. */
void frec__shm_emit_chain(struct frec__event *event, const struct frec_shm_chain *chain, void *flat,
			  size_t size);

/* The size in bytes of a chain as it is in a record. */
static inline size_t frec__shm_chain_size(const struct frec_shm_chain *chain)
{
	return sizeof(uint64_t) * (1 + chain->count);
}

/* The time and CPU at which an emit began. */
struct frec__shm_moment {
	uint64_t time; /* nanoseconds of the kernel's CLOCK_MONOTONIC */
	uint32_t cpu;  /* higher than any CPU's number if the thread has no sequences */
};

/* The bits of event->enabled that are set for an event that is in the table of a memory. */
static inline uint32_t frec__shm_enabled(const struct frec__event *event)
{
	return FREC__SHM_MASK |
	       (__atomic_load_n(&event->shm_stack, __ATOMIC_RELAXED) ? FREC__SHM_STACK_MASK : 0);
}

/* The position and the counts of a ring. */
static inline struct frec_shm_control *frec__shm_control_of(const struct frec__shm *shm,
							    size_t ring)
{
	return (void *)(shm->controls + ring * shm->control_size);
}

/* The data of a ring, which is mapped twice in a row. */
static inline char *frec__shm_ring_of(const struct frec__shm *shm, uint32_t ring)
{
	return shm->rings + 2 * ring * shm->ring_size;
}

/* The offset in a ring's data of the record that moves the ring to `position`. */
static inline uint64_t frec__shm_place(const struct frec__shm *shm, uint64_t position)
{
	return -position & (shm->ring_size - 8);
}

#endif
