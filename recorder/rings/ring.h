/* SPDX-License-Identifier: MIT */
/*
 * The rings of a recorder, and copies of them. A ring is memory of fixed size that keeps the newest
 * records and overwrites the oldest ones.
 *
 * struct frec_ring is one ring. There are two types of ring, each with its own functions in a
 * struct frec_ring_type:
 *
 *	perf_ring.h	a perf buffer, one per CPU, which the kernel writes. Tracepoints and BPF
 *			programs are redirected into it (see sources/).
 *	shm_ring.h	a ring in shared memory, which services write themselves. shm_rings.h
 *			creates that memory, shm_copy.h reads it, service/shm.h has its layout.
 *
 * A copy is made in two steps. Afterwards the copy has the same layout for both types:
 *
 *	ring --frec__ring_copy()--> raw bytes, newest first --frec__ring_copy_finish()-->
 *		the first `valid` bytes are whole records in the layout of perf.h, newest first
 *
 * The first step stops no writer. The second one decides which of the copied bytes can be trusted.
 * snapshot/ calls both and reads the records.
 *
 * How a live copy of a perf buffer can be exact: the kernel writes the buffer backwards. It puts
 * each record below the previous one and moves `data_head` down to it. Reading upwards from
 * `data_head` therefore yields whole records, newest first, until it reaches the bytes that are
 * being overwritten. The recorder reads `data_head` (h0), copies upwards from it, and reads
 * `data_head` again (h1). The last h0 - h1 of the copied bytes may have been overwritten during the
 * copy; everything before them is as the kernel wrote it. Nothing is paused, and there is no second
 * ring.
 *
 * `data_head` does not yet include records whose space is reserved but which are not complete. The
 * kernel writes records with preemption disabled, so after an RCU grace period (membarrier(2))
 * every record that was in progress is complete and included. If the recorder waits for a grace
 * period before it reads h0, the copy includes every record that was counted before the wait. If it
 * waits for another one after the copy and then reads `data_head` once more (h2), it knows exactly
 * how much can have been overwritten.
 *
 * Invariants: `size` is a power of two. Records are read from copies, never from the ring. Copying
 * allocates nothing, and only frec__ring_grace_period() waits.
 *
 * Rejected alternatives: PERF_EVENT_IOC_PAUSE_OUTPUT loses the events that happen during the pause,
 * and these are the most interesting ones. Moving all sources to a second ring takes one grace
 * period per source and CPU, and twice the memory.
 */
#ifndef FREC_RECORDER_RINGS_RING_H
#define FREC_RECORDER_RINGS_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

#define FREC_RING_SIZE_MIN (64u << 10)
#define FREC_RING_SIZE_MAX (1u << 30)

struct frec_pid_spaces;
struct frec_ring_type;
struct frec_shm_rings;

/* The value of frec_ring.cpu in a ring that belongs to no CPU, because threads on every CPU write
 * to it. */
#define FREC_CPU_ANY (-1)

struct frec_ring {
	const struct frec_ring_type *type;
	int cpu;
	/* distinguishes the rings of one CPU: 0 for the perf ring, else the number of the shared
	 * memory that the ring is in */
	uint32_t number;
	size_t size;	/* bytes of data, a power of two */
	uint64_t since; /* when it was opened, nanoseconds of CLOCK_MONOTONIC */
	bool offline;	/* its CPU went offline, so nothing is written any more */
	/* the shared memory that the ring is in; NULL for a perf ring */
	const struct frec_shm_rings *shm;
	union {
		struct {	   /* for a perf ring */
			int fd;	   /* the dummy event that owns the buffer */
			void *map; /* struct perf_event_mmap_page, then the data; read-only */
			uint64_t enabled; /* the event's enabled time at the last check */
		};
		struct {		/* for a ring that services write */
			size_t index;	/* number of the ring within `shm` */
			uint32_t uid;	/* the user whose services write it */
			bool ours;	/* that is the user of the recorder */
			uint32_t space; /* the pid namespace of the services; 0: the recorder's */
			const struct frec_pid_spaces *spaces; /* to translate pids; may be NULL */
		};
	};
};

struct frec_ring_copy {
	uint8_t *data;	  /* newest record first; provided by the caller, as large as the ring */
	uint64_t head;	  /* h0, or for a ring in shared memory its position */
	uint64_t written; /* bytes ever written into the ring, up to `head` */
	uint64_t during;  /* bytes written while the copy ran */
	/* how many bytes at the start of `data` can be trusted; the last record may be cut */
	size_t valid;
	bool wrapped;	  /* something was overwritten before or during the copy */
	uint64_t damaged; /* shared memory only: regions that hold no whole record */
	/* shared memory only: how many records had a time before the ring was opened or after the
	 * copy was made. They got the time of the next record. */
	uint64_t redated;
};

/* The functions that a type of ring implements. Callers use the functions of the same names
 * below. */
struct frec_ring_type {
	void (*close)(struct frec_ring *ring);
	uint64_t (*written)(const struct frec_ring *ring);
	void (*copy)(const struct frec_ring *ring, struct frec_ring_copy *copy);
	void (*copy_finish)(const struct frec_ring *ring, struct frec_ring_copy *copy, bool settled,
			    size_t largest);
};

void frec__ring_close(struct frec_ring *ring);

/* Returns how many bytes were ever written into the ring. */
uint64_t frec__ring_written(const struct frec_ring *ring);

/* Copies the ring into copy->data without disturbing the writers. */
void frec__ring_copy(const struct frec_ring *ring, struct frec_ring_copy *copy);

/*
 * Computes copy->valid. `settled` is true if a grace period has passed since the copy. If none has,
 * this assumes the worst about the records that were in progress at the end of the copy: one of
 * `largest` bytes, the largest possible size, in each context in which the kernel can write records
 * (task, softirq, interrupt, NMI).
 */
void frec__ring_copy_finish(const struct frec_ring *ring, struct frec_ring_copy *copy, bool settled,
			    size_t largest);

/* Waits until every record that is being written on any CPU is complete. Returns false if the
 * kernel does not support this. */
bool frec__ring_grace_period(void);

#endif
