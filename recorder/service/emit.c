// SPDX-License-Identifier: MIT
// Handing an event to the kernel: all that runs in a service's threads and signal handlers. One
// system call, no lock, no allocation, errno as it was.
//
// The descriptor is the one thing that a service can take away, with closefrom(3) or a loop of
// close(2). Then a later file could get its number, and an event would be written into it.
// registration.c therefore keeps the number high, where nothing lands unless it is asked to; and
// the first emit that the kernel answers with EBADF forgets the number for the whole process. What
// remains is a program that closes all descriptors, emits nothing, and then opens about a thousand
// files or places one at just that number: it must call frec_register() before, which looks whether
// the descriptor still is flightrec's. Positioned writes would fail on sockets and pipes, but
// overwrite the beginning of a regular file, and are missing from many seccomp filters where
// writev(2) is not.
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "recorder/service/emit.h"
#include "recorder/service/shm_emit.h"

#define ATTEMPTS 3

// An event that did not reach the kernel, and why: `error` is a positive errno.
FREC_EVENT(flightrec, lost, FREC_STR(event), FREC_U32(bytes), FREC_I32(error), FREC_U64(total));

int frec__fd = -1;
struct frec_stats frec__counts;

static void count(uint64_t *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static uint64_t *counter_of(int error)
{
	switch (error) {
	case -ENOTCONN:
		return &frec__counts.dropped_unregistered;
	case -E2BIG:
		return &frec__counts.dropped_too_large;
	case -EBADF:
		return &frec__counts.dropped_closed;
	case -EFAULT:
		return &frec__counts.dropped_fault;
	default:
		return &frec__counts.dropped_other;
	}
}

// Counts, and tells the recorder if it listens. The event that tells is itself counted nowhere: it
// would only repeat.
static int drop(struct frec__event *event, size_t size, int error)
{
	uint64_t total;

	if (event == &frec__event_flightrec_lost)
		return error;
	count(counter_of(error));
	total = __atomic_add_fetch(&event->dropped, 1, __ATOMIC_RELAXED);
	FREC_EMIT(flightrec, lost, event->name, size < UINT32_MAX ? (uint32_t)size : UINT32_MAX,
		  -error, total);
	return error;
}

// Not writev(): that would be a point where a thread can be cancelled. Leaves errno to its
// caller.
static long write_vector(int fd, const struct iovec *vector, int elements)
{
	return syscall(SYS_writev, fd, vector, elements) < 0 ? -errno : 0;
}

// The kernel answers EBADF also when the last listener left between the test of the enable word and
// the write, and clears the word a little later. An empty write tells the two apart: it reaches no
// file, only its descriptor is looked up, and a filter that allowed the first allows it.
static int closed_or_disabled(struct frec__event *event, int fd)
{
	int expected = fd;

	if (!(__atomic_load_n(&event->enabled, __ATOMIC_RELAXED) & FREC__USER_EVENTS_MASK) ||
	    write_vector(fd, NULL, 0) != -EBADF)
		return 0;
	// Where frec_register() has put a new one in place meanwhile it stays.
	__atomic_compare_exchange_n(&frec__fd, &expected, -1, false, __ATOMIC_RELAXED,
				    __ATOMIC_RELAXED);
	return -EBADF;
}

// Returns as frec__emit.
static int send(struct frec__event *event, int fd, const struct iovec *vector, int elements)
{
	long result;

	// A page that is not in memory just then fails the write in the middle; the attempt has
	// brought it in.
	for (int i = 0; i < ATTEMPTS; i++) {
		result = write_vector(fd, vector, elements);
		if (result != -EFAULT)
			break;
	}
	return result == -EBADF ? closed_or_disabled(event, fd) : (int)result;
}

static int emit_user_event(struct frec__event *event, struct iovec *vector, int elements)
{
	int fd;
	uint32_t index;

	// The descriptor before the index: an index belongs to one descriptor, and who sees a new
	// descriptor then cannot see an index of the one before. Both pair with the release stores
	// in registration.c.
	fd = __atomic_load_n(&frec__fd, __ATOMIC_ACQUIRE);
	index = __atomic_load_n(&event->write_index, __ATOMIC_ACQUIRE);
	// The kernel may set the enable bit before it has told the index.
	if (index == FREC__NO_INDEX)
		return -ENOTCONN;
	if (fd < 0)
		return -EBADF;
	memcpy(vector[0].iov_base, &index, sizeof(index));
	return send(event, fd, vector, elements);
}

// For listeners that want the payload in one piece. It takes as much stack as the payload is long.
// A string that is not in memory just then is read in here, by its own thread, before a program in
// the kernel, which cannot wait, looks at it.
static __attribute__((noinline)) void emit_flat(struct frec__event *shm, const struct iovec *vector,
						const struct frec__payload *payload,
						frec__site *site, const uint64_t *args)
{
	uint64_t room[(FREC__SHM_ROOM_BEFORE + FREC__COMMON_SIZE + payload->size +
		       FREC__SHM_ROOM_BEHIND + 7) /
		      8];
	char *flat = (char *)room + FREC__SHM_ROOM_BEFORE, *next = flat + FREC__COMMON_SIZE;

	memset(flat, 0, FREC__COMMON_SIZE);
	next = mempcpy(next, (char *)vector[0].iov_base + sizeof(uint32_t),
		       vector[0].iov_len - sizeof(uint32_t));
	for (int i = 1; i < payload->count; i++)
		next = mempcpy(next, vector[i].iov_base, vector[i].iov_len);
	if (shm)
		frec__shm_emit_flat(shm, flat, FREC__COMMON_SIZE + payload->size);
	if (args)
		site(args, flat + FREC__COMMON_SIZE, payload->size);
}

// To whoever listens but shared memory; to that as well where `shm`.
static __attribute__((noinline)) int emit_others(struct frec__event *event, struct iovec *vector,
						 const uint16_t *places, frec__site *site,
						 const uint64_t *args, bool shm)
{
	uint32_t enabled = __atomic_load_n(&event->enabled, __ATOMIC_RELAXED);
	struct frec__payload payload;
	int result, saved_errno = errno;

	result = frec__payload_build(vector, places, &payload);
	if (result)
		return drop(event, payload.size, result);
	if (args || shm)
		emit_flat(shm ? event : NULL, vector, &payload, site, args);
	if (enabled & FREC__USER_EVENTS_MASK)
		result = emit_user_event(event, vector, payload.count);
	errno = saved_errno;
	if (result)
		return drop(event, payload.size, result);
	if (payload.cut)
		count(&frec__counts.cut);
	return 0;
}

int frec__emit(struct frec__event *event, struct iovec *vector, const uint16_t *places,
	       frec__site *site, const uint64_t *args)
{
	uint32_t enabled = __atomic_load_n(&event->enabled, __ATOMIC_RELAXED);
	bool shm = enabled & FREC__SHM_MASK;

	// Shared memory first, because that leaves the vector as it is; and where it listens it
	// most often does so alone.
	if (shm && frec__shm_emit(event, vector, places)) {
		if (enabled == FREC__SHM_MASK)
			return 0;
		shm = false;
	}
	return emit_others(event, vector, places, site, args, shm);
}

void frec__copy_chars(char *to, const char *from, size_t size)
{
	size_t length = from ? strnlen(from, size) : 0;

	memcpy(to, from ? from : "", length);
	memset(to + length, 0, size - length);
}

int frec_stats_read(struct frec_stats *stats)
{
	const uint64_t *from = &frec__counts.events;
	uint64_t *to = &stats->events;

	if (stats->size < offsetof(struct frec_stats, events) || stats->size > sizeof(*stats) ||
	    stats->size % sizeof(uint64_t))
		return -EINVAL;
	for (size_t i = 0; i < (stats->size - offsetof(struct frec_stats, events)) / sizeof(*to);
	     i++)
		to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
	return 0;
}
