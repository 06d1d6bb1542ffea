/* SPDX-License-Identifier: MIT */
/*
 * The shared memory of the shm transport: one memfd that a recorder makes, sealed against
 * shrinking, and that services map and write without system calls.
 *
 *	header		struct frec_shm_header. Services map it read-only.
 *	table		struct frec_shm_slot for each event that a service has registered; then
 *			their declarations.
 *	controls	for each ring struct frec_shm_control and, per slot, how many events were
 *			emitted: `emitted`, then `moved`.
 *	rings		the data of each ring, a power of two, mapped by services twice in a row so
 *			that no record wraps.
 *
 * There is a ring per CPU and a last one, `shared`. A CPU's ring is written in restartable
 * sequences alone: the kernel aborts one when its thread is preempted, migrated or signalled, so
 * that at most one writer is at work in a ring, the record counts only when it is whole, and time
 * never runs backwards in a ring. Threads that the C library has not registered for these (another
 * C library, an emulator, another architecture) use the shared ring, with atomic operations.
 *
 * Invariants:
 * 1. `position` counts the bytes written, from FREC_SHM_POSITION_FIRST. Writing goes downwards, as
 *    in perf's rings: the record that moves the position to p stands at -p, modulo the ring's size.
 *    So reading upwards meets the newest first.
 * 2. A record is struct frec_shm_record and a multiple of 8 bytes. Its commit word is that
 *    position, in units of 8 bytes, xor the header's key: at any place in a ring there is exactly
 *    one value that says "a record of this lap begins here", and a payload cannot hold it but by
 *    guessing. Its checksum covers all that follows. Both are stored at once and last.
 * 3. In a CPU's ring everything between position and position - size is whole, but for the oldest
 *    record and, below it, what a writer is just overwriting: not more than FREC_SHM_RECORD_MAX.
 *    What is not, somebody else overwrote. In the shared ring a record that was begun and not
 *    finished is not whole either, and a writer that was stopped for a whole lap can spoil a newer
 *    one.
 * 4. An event counts after its record does. So what was counted before a copy began is in it or was
 *    overwritten.
 * 5. A slot, once FREC_SHM_READY, does not change and is never given back: records refer to it by
 *    FREC_SHM_ID. Processes with the same declaration share a slot.
 * 6. `owner` is a robust futex that a thread of the recorder holds: when it ends, however it ends,
 *    the kernel sets FUTEX_OWNER_DIED in it. Who sees that stops writing and gives the memory back.
 *
 * Nothing here is trusted by either side: each keeps its own copy of the header, masks positions,
 * checks sizes and offsets. What it does not protect against is a wild write that hits the mapping:
 * such records are found and counted, but gone.
 */
#ifndef FREC_RECORDER_SERVICE_SHM_H
#define FREC_RECORDER_SERVICE_SHM_H

#include <linux/perf_event.h>
#include <stddef.h>
#include <stdint.h>

/* The environment variable with the number of an inherited descriptor: see frec__shm_inherit(). */
#define FREC_SHM_VARIABLE "FLIGHTREC_SHM"

#define FREC_SHM_MAGIC 0x316d687363657266u /* "frecshm1" */
#define FREC_SHM_EVENTS 4096
#define FREC_SHM_RINGS_MAX 8193
#define FREC_SHM_DECLARATIONS_SIZE (2u << 20)
#define FREC_SHM_DECLARATION_MAX (64u << 10)
#define FREC_SHM_SELECTION_SIZE 4000
#define FREC_SHM_RING_SIZE_MIN (64u << 10)
#define FREC_SHM_RING_SIZE_MAX (1u << 30)

/* Every section begins at a multiple of this, whatever the machine's page size. The memfd is
 * sparse: it costs nothing. */
#define FREC_SHM_ALIGNMENT (64u << 10)

/* More than a record's size, so that the writer's exchange-and-add tells what it got from what it
 * put in. */
#define FREC_SHM_POSITION_FIRST (64u << 10)

/*
 * A bit of frec_shm_header.options: services open the mapping for writing only while they write,
 * where they have protection keys.
 */
#define FREC_SHM_GUARD 1u

struct frec_shm_header {
	uint64_t magic; /* stored last */
	uint32_t options;
	uint32_t rings; /* with the shared one, the last */
	uint64_t ring_size;
	uint32_t key;	/* of commit words */
	uint32_t owner; /* thread id, FUTEX_OWNER_DIED */
	/* What the recorder wants: globs over PROVIDER:NAME, each with its NUL, and an empty
	 * one. */
	char selection[FREC_SHM_SELECTION_SIZE];
};

enum frec_shm_state { FREC_SHM_FREE, FREC_SHM_CLAIMED, FREC_SHM_READY };

struct frec_shm_slot {
	uint32_t state;
	uint32_t pid; /* that registered it first */
	uint32_t
		/* of its entry of section frec_declarations (flightrec/fields.h), in
		 * `declarations` */
		offset;
	uint32_t size; /* of that */
};

struct frec_shm_table {
	struct frec_shm_slot slot[FREC_SHM_EVENTS];
	uint32_t used; /* bytes of `declarations` */
	uint32_t reserved;
	uint8_t declarations[FREC_SHM_DECLARATIONS_SIZE];
};

struct frec_shm_control {
	uint64_t position;
	uint64_t reserved[7];
	uint64_t emitted
		/* counted within the restartable sequence; in the shared ring atomically */
		[FREC_SHM_EVENTS];
	uint64_t moved
		/* counted atomically, when the sequence was aborted between record and count */
		[FREC_SHM_EVENTS];
};

/* The id that a record has as PERF_SAMPLE_IDENTIFIER. The kernel's own, of perf events, count up
 * from 1. */
#define FREC_SHM_ID_FIRST (UINT64_C(1) << 32)
#define FREC_SHM_ID(slot) (FREC_SHM_ID_FIRST + (slot))

/* A frame, and from `header` on what struct frec_sample in perf.h is. */
struct frec_shm_record {
	uint32_t commit;
	uint32_t checksum;
	struct perf_event_header header;
	uint64_t id;
	uint32_t pid, tid;
	uint64_t time; /* nanoseconds of CLOCK_MONOTONIC */
	uint64_t
		/* a u32 and zeroes; one store of its own size, because it is read back at once */
		cpu;
	uint32_t raw_size;
	uint8_t raw
		/* 8 bytes of common header, the payload, zeroes up to a multiple of 8 of the
		 * whole */
		[];
} __attribute__((packed));

#define FREC_SHM_FRAME_SIZE offsetof(struct frec_shm_record, header)

/* The largest record: FREC_PAYLOAD_MAX with the common header, rounded up. */
#define FREC_SHM_RECORD_MAX ((sizeof(struct frec_shm_record) + 8 + 8184 + 7) & ~7u)

/* Where the sections begin, and the size of all. */
struct frec_shm_layout {
	size_t table, controls, control_size, rings, size;
};

static inline size_t frec__shm_aligned(size_t size)
{
	return (size + FREC_SHM_ALIGNMENT - 1) / FREC_SHM_ALIGNMENT * FREC_SHM_ALIGNMENT;
}

/* The caller has checked rings and ring_size against their limits. */
static inline struct frec_shm_layout frec__shm_layout(size_t rings, size_t ring_size)
{
	struct frec_shm_layout layout;

	layout.table = frec__shm_aligned(sizeof(struct frec_shm_header));
	layout.controls = layout.table + frec__shm_aligned(sizeof(struct frec_shm_table));
	layout.control_size = frec__shm_aligned(sizeof(struct frec_shm_control));
	layout.rings = layout.controls + rings * layout.control_size;
	layout.size = layout.rings + rings * ring_size;
	return layout;
}

/* The commit word of the record that moves the position to `position`. */
static inline uint32_t frec__shm_commit_word(uint64_t position, uint32_t key)
{
	return (uint32_t)(position >> 3) ^ key;
}

/* Commit word and checksum as they are stored: at once. */
static inline uint64_t frec__shm_frame(uint32_t commit, uint32_t checksum)
{
	return (uint64_t)checksum << 32 | commit;
}

#endif
