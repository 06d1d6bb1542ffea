/* SPDX-License-Identifier: MIT */
/*
 * The shared memory of the shm transport: one memfd, which a recorder makes and seals against
 * shrinking, which services map, and to which they write without system calls.
 *
 *	header		struct frec_shm_header. Services map it read-only.
 *	table		struct frec_shm_slot for each event that a service has registered; then
 *			their declarations, and announcements of forked processes.
 *	controls	struct frec_shm_control for each ring: its position and, per slot, how many
 *			events were emitted.
 *	rings		the data of each ring, whose size is a power of two. Services map it twice
 *			in a row, so that no record wraps.
 *
 * There is a ring for each CPU and, after these, the shared ring. The ring of a CPU is written by
 * restartable sequences alone: the kernel aborts a sequence if its thread is preempted, migrated or
 * receives a signal. So in such a ring at most one writer is at work, the position moves only after
 * a record is whole, and records are in the order of time. Threads that the C library has not
 * registered for sequences (another C library, an emulator, another architecture) use the shared
 * ring, with atomic operations.
 *
 * Invariants:
 * 1. `position` counts the bytes written, starting at FREC_SHM_POSITION_FIRST. Writing goes
 *    downwards, as in perf's rings: the record that moves the position to p begins at -p, modulo
 *    the ring's size. So a reader that goes upwards meets the newest record first.
 * 2. A record is a struct frec_shm_record, and its size is a multiple of 8 bytes. Its commit word
 *    is the position to which the record moves the ring, in units of 8 bytes, xor the header's key.
 *    At each place in a ring exactly one value means "a record of this lap begins here", and a
 *    payload can hold that value only by chance. The checksum covers everything after the
 *    checksum. Commit word and checksum are stored together, last.
 * 3. In the ring of a CPU every record is whole, apart from the oldest ones: a younger record may
 *    have overwritten a part of the oldest, and a writer may be overwriting FREC_SHM_RECORD_MAX
 *    bytes more. Any other record that is not whole was overwritten by stray writes. In the shared
 *    ring a record that was begun and not finished is not whole either, and a writer that was
 *    stopped for a whole lap can damage a newer record.
 * 4. An event is counted after its record is written. So a record that was counted before a copy of
 *    the ring began is in the copy or was overwritten.
 * 5. Once a slot is FREC_SHM_READY it does not change and is never freed, because records refer to
 *    it by FREC_SHM_ID. Processes with the same declaration share a slot.
 * 6. A record may carry the addresses of its call stack, in a struct frec_shm_chain between its CPU
 *    and the size of its payload, as in perf's records; then FREC_SHM_MISC_CHAIN is set in its
 *    header. Whether it does is the service's word for each record: the recorder makes all records
 *    of one event look the same, and refuses a record with more addresses than there can be, or
 *    with one that no process has.
 * 7. `owner` is a robust futex that a thread of the recorder holds. If that thread ends, for
 *    whatever reason, the kernel sets FUTEX_OWNER_DIED in it. A service that sees this stops
 *    writing. A recorder that ends properly sets the bit itself and then gives the pages back for
 *    everybody. If the recorder was killed, the pages stay until a service calls frec_register() or
 *    attaches again.
 *
 * Neither side trusts the content: each keeps its own copy of the sizes and the key, masks
 * positions, and checks sizes and offsets. A wild write that hits the mapping is not prevented,
 * except by FREC_SHM_GUARD: the records that it damages are found and counted, but lost.
 */
#ifndef FREC_RECORDER_SERVICE_SHM_H
#define FREC_RECORDER_SERVICE_SHM_H

#include <linux/perf_event.h>
#include <stddef.h>
#include <stdint.h>

/* The environment variable with the number of an inherited descriptor; see shm_inherit.h. */
#define FREC_SHM_VARIABLE "FLIGHTREC_SHM"

#define FREC_SHM_MAGIC 0x326d687363657266u /* "frecshm2" */
#define FREC_SHM_EVENTS 4096
#define FREC_SHM_RINGS_MAX 8193
#define FREC_SHM_DECLARATIONS_SIZE (2u << 20)
#define FREC_SHM_DECLARATION_MAX (64u << 10)
#define FREC_SHM_SELECTION_SIZE 4000
#define FREC_SHM_FORKS 1024
#define FREC_SHM_NAME "flightrec" /* of the memfd */
#define FREC_SHM_RING_SIZE_MIN (64u << 10)
#define FREC_SHM_RING_SIZE_MAX (1u << 30)

/* Each section begins at a multiple of this, whatever the page size of the machine. The memfd is
 * sparse, so the gaps cost no memory. */
#define FREC_SHM_ALIGNMENT (64u << 10)

/* The first position is more than the size of a record, so that the writer can see whether a
 * register holds the position that its exchange-and-add returned, or still the size to add. */
#define FREC_SHM_POSITION_FIRST (64u << 10)

/*
 * A bit of frec_shm_header.options: services that have protection keys make the mapping accessible
 * only while they write.
 */
#define FREC_SHM_GUARD 1u

/* Another bit of frec_shm_header.options: this machine's CLOCK_MONOTONIC cannot be read without a
 * system call, so services use its coarse variant (shm_clock.h). */
#define FREC_SHM_COARSE 2u

/* Another bit of frec_shm_header.options: this machine's CLOCK_MONOTONIC is the processor's
 * counter, so services may compute times from the counter (shm_line.h). */
#define FREC_SHM_COUNTER 4u

/* How a service finds the call stack of an event: not at all, by frame pointers, or with
 * libunwind. */
#define FREC_SHM_STACK_NONE 'n'
#define FREC_SHM_STACK_FRAMES 'f'
#define FREC_SHM_STACK_SELF 's'

struct frec_shm_header {
	uint64_t magic; /* stored last */
	uint32_t options;
	uint32_t rings; /* the number of rings; the last is the shared ring */
	uint64_t ring_size;
	uint32_t key;	/* xor-ed into commit words */
	uint32_t owner; /* id of a thread of the recorder; FUTEX_OWNER_DIED when it has ended */
	/* The events that the recorder wants: globs over PROVIDER:NAME, each with its NUL, and an
	 * empty one at the end. After these, and with an empty one at their end as well, the stacks
	 * that it wants with them: a letter FREC_SHM_STACK_... and a glob, of which the last that
	 * matches counts. Services that know nothing of stacks stop at the first end. */
	char selection[FREC_SHM_SELECTION_SIZE];
	/* How many nanoseconds CLOCK_REALTIME is ahead of the kernel's CLOCK_MONOTONIC. The
	 * recorder keeps this up to date, so that a process can see whether its own CLOCK_MONOTONIC
	 * is the kernel's (clock_ahead.h). */
	int64_t epoch;
};

enum frec_shm_state { FREC_SHM_FREE, FREC_SHM_CLAIMED, FREC_SHM_READY };

struct frec_shm_slot {
	uint32_t state;
	uint32_t pid; /* of the process that registered the event first */
	/* where in `declarations` the event's declaration is: a copy of its entry in section
	 * frec_declarations (flightrec/fields.h) */
	uint32_t offset, size;
};

struct frec_shm_table {
	struct frec_shm_slot slot[FREC_SHM_EVENTS];
	uint32_t used;	/* bytes of `declarations` */
	uint32_t forks; /* processes announced in `forked` so far, modulo 2^32 */
	uint8_t declarations[FREC_SHM_DECLARATIONS_SIZE];
	/* A ring of announcements: of processes that were forked from services, and of the ends of
	 * such processes through exit(3). Entry number n, modulo 2^32, is at n % FREC_SHM_FORKS;
	 * see frec__shm_birth(). */
	uint64_t forked[FREC_SHM_FORKS];
};

/* In an entry of `forked`: the process ends, through exit(3). */
#define FREC_SHM_ENDS (UINT32_C(1) << 31)

/* The entry with the number `at`. `pid` may have the bit FREC_SHM_ENDS. No entry is 0. */
static inline uint64_t frec__shm_birth(uint32_t at, uint32_t pid)
{
	return (uint64_t)(at + 1) << 32 | pid;
}

struct frec_shm_control {
	uint64_t position;
	uint64_t reserved[7];
	/* events counted within the restartable sequence that wrote them; in the shared ring all
	 * events, counted atomically */
	uint64_t emitted[FREC_SHM_EVENTS];
	/* events counted atomically, because the sequence was aborted after it had written their
	 * records */
	uint64_t moved[FREC_SHM_EVENTS];
};

/* The PERF_SAMPLE_IDENTIFIER of a record. It differs from the ids that the kernel gives perf
 * events, because those count up from 1. */
#define FREC_SHM_ID_FIRST (UINT64_C(1) << 32)
#define FREC_SHM_ID(slot) (FREC_SHM_ID_FIRST + (slot))

/* A frame (commit word and checksum), then, from `header` on, a record as perf writes it. */
struct frec_shm_record {
	uint32_t commit;
	uint32_t checksum;
	struct perf_event_header header;
	uint64_t id;
	uint32_t pid, tid;
	/* nanoseconds of the kernel's CLOCK_MONOTONIC (clock_ahead.h), possibly coarse
	 * (shm_clock.h) */
	uint64_t time;
	/* the CPU in the lower half, and in the upper half the inode number of the pid namespace
	 * that the process was in when it attached, 0: unknown; stored as one word, because the
	 * checksum reads it back as one word soon afterwards */
	uint64_t cpu;
	/* here, if FREC_SHM_MISC_CHAIN is set: a struct frec_shm_chain */
	uint32_t raw_size;
	/* 8 bytes of common header, the payload, zeroes until the size is a multiple of 8 */
	uint8_t raw[];
} __attribute__((packed));

#define FREC_SHM_FRAME_SIZE offsetof(struct frec_shm_record, header)

/* The most addresses of a call stack, the same as the kernel's usual maximum. */
#define FREC_SHM_ADDRESSES_MAX 127

/*
 * The call stack of a record: `count` words, of which the first is PERF_CONTEXT_USER and the others
 * are addresses of the process, the newest first. The first address is in the instruction that
 * called the library, and the others are return addresses. Without a call stack, because it was
 * left out (shm_stack.h), `count` is 0.
 */
struct frec_shm_chain {
	uint64_t count;
	uint64_t word[1 + FREC_SHM_ADDRESSES_MAX];
};

/* A bit of frec_shm_record.header.misc: the record has the beginning of a struct frec_shm_chain,
 * with as many words as its `count` says. */
#define FREC_SHM_MISC_CHAIN (1u << 9)

/* The largest record: FREC_PAYLOAD_MAX with the common header, rounded up, and a call stack. */
#define FREC_SHM_RECORD_MAX \
	(((sizeof(struct frec_shm_record) + 8 + 8184 + 7) & ~7u) + sizeof(struct frec_shm_chain))

/* The offset of each section, the size of one control, and the size of the memfd. */
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

/* Commit word and checksum as one word, because they are stored together. */
static inline uint64_t frec__shm_frame(uint32_t commit, uint32_t checksum)
{
	return (uint64_t)checksum << 32 | commit;
}

#endif
