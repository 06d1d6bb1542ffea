/* SPDX-License-Identifier: MIT */
/*
 * One CPU's overwrite ring. There are two kinds of them behind these functions: the kernel's, which
 * this page is about, and those in memory that services write themselves (see shm.h). A copy looks
 * the same once it is settled.
 *
 * The kernel's is a perf buffer that the kernel writes backwards, for ever, and that is copied
 * live.
 *
 * The kernel writes each record below the one before and moves `data_head` down to it, so reading
 * upwards from `data_head` meets whole records, newest first, until the bytes run into what is
 * being overwritten. A copy reads `data_head` (h0), copies upwards from it, and reads `data_head`
 * again (h1): of the bytes copied, the last h0 - h1 may have been overwritten meanwhile, everything
 * before them is as the kernel left it. No pause, no second ring.
 *
 * Two things stand between that and the truth. Records whose space was taken but which were not
 * finished do not show in `data_head` yet; the kernel writes them with preemption off, so after an
 * RCU grace period (membarrier(2)) every record that was under way is finished and shows. Waiting
 * one out before h0 makes every record counted before it part of the copy; waiting one out after
 * the copy and reading `data_head` once more (h2) tells exactly how much can have been overwritten.
 *
 * Rejected: PERF_EVENT_IOC_PAUSE_OUTPUT loses what happens during the pause, which is when a
 * snapshot is most wanted; moving all sources to a second ring takes a grace period per source and
 * CPU, and twice the memory.
 */
#ifndef FREC_RECORDER_RINGS_RING_H
#define FREC_RECORDER_RINGS_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

#define FREC_RING_SIZE_MIN (64u << 10)
#define FREC_RING_SIZE_MAX (1u << 30)

struct frec_pid_space;
struct frec_shm_rings;

/* The CPU of a ring that threads on any CPU write. */
#define FREC_CPU_ANY (-1)

struct frec_ring {
	int cpu;
	/* NULL: the kernel's ring, with the descriptor and mapping below. Else services write it:
	 * number `index` of these. */
	const struct frec_shm_rings *shm;
	size_t index;
	uint32_t uid;			    /* whose services they are */
	const struct frec_pid_space *space; /* NULL, or what these call themselves */
	/* keeps the rings of one CPU apart: 0 for the kernel's, else the memory's number */
	uint32_t number;
	int fd;		/* of the dummy event that owns the buffer; sources are redirected to it */
	void *map;	/* struct perf_event_mmap_page and the data behind it, read-only */
	size_t size;	/* bytes of data, a power of two */
	bool offline;	/* its CPU was taken offline: nothing is written any more */
	uint64_t since; /* when it was opened, nanoseconds of CLOCK_MONOTONIC */
	uint64_t enabled; /* how long it has been on, when that was last looked at */
};

struct frec_ring_copy {
	uint8_t *data;	  /* newest record first; `size` bytes, of the caller */
	uint64_t head;	  /* h0 */
	uint64_t written; /* bytes ever written, at h0 */
	uint64_t during;  /* bytes written while the copy ran */
	/* bytes from the start that are whole and true; the last record may be cut */
	size_t valid;
	bool wrapped;	  /* something was overwritten before or during the copy */
	uint64_t damaged; /* of services' rings: stretches that are no whole records */
};

/* Opens the ring of `cpu`. `size` must be a power of two of at least a page. Returns 0 or a
 * negative errno. */
int frec__ring_open(struct frec_ring *ring, int cpu, size_t size, struct frec_error *reterr);
void frec__ring_close(struct frec_ring *ring);

/* Ring number `index`, of `size` bytes, of memory that services write; the memory has `number`,
 * from 1 on, and outlives the ring. */
void frec__ring_of_shm(struct frec_ring *ring, const struct frec_shm_rings *shm, size_t index,
		       size_t size, uint32_t number);

/* What an event of such memory has as its id, told apart from those of other memory. */
uint64_t frec__ring_shm_id(uint32_t number, uint64_t id);

/*
 * Whether the ring's event has been on since the last call, some time ago. The kernel takes every
 * event off a CPU that goes offline and puts none back: one that went and came between two looks,
 * as all but the first do over a suspend, shows nowhere else.
 */
bool frec__ring_alive(struct frec_ring *ring);

/* Bytes ever written into it. */
uint64_t frec__ring_written(const struct frec_ring *ring);

/* Copies the ring into copy->data. Touches no ring but this one; the writers never notice. */
void frec__ring_copy(const struct frec_ring *ring, struct frec_ring_copy *copy);

/*
 * Works out copy->valid, once a grace period has passed since the copy (settled) or when none can
 * be had (not settled:
 * then `largest`, the size of the largest possible record, taken once for each level on which one
 * can be under way, bounds what did not show).
 */
void frec__ring_copy_finish(const struct frec_ring *ring, struct frec_ring_copy *copy, bool settled,
			    size_t largest);

/* Waits until every record that is being written anywhere is finished. False where the kernel
 * cannot tell. */
bool frec__ring_grace_period(void);

#endif
