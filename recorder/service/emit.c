// SPDX-License-Identifier: MIT
// Emitting an event, in the threads and signal handlers of a service. It takes one system call for
// user_events, no lock and no allocation, and keeps errno.
//
// A service can close our descriptor, with closefrom(3) or a loop of close(2). A later file could
// then get its number, and events would be written into that file. Two measures prevent this.
// data_file.c picks a high number, where the kernel puts no file unless it is asked to. The first
// emit that fails with EBADF forgets the number for the whole process. One case remains: a program
// closes all descriptors, emits nothing, and then opens about a thousand files or duplicates a
// descriptor to just that number. Such a program must call frec_register() first, which checks that
// the descriptor is still ours.
//
// Rejected: positioned writes. They fail on sockets and pipes, but overwrite the beginning of a
// regular file, and many seccomp filters that allow writev(2) do not allow them.
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "recorder/service/emit.h"
#include "recorder/service/payload.h"
#include "recorder/service/shm_emit.h"

#define ATTEMPTS 3

// An event that was dropped. `error` is the reason, a positive errno; `total` is how often that
// event was dropped so far.
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

// Counts a dropped event and reports it to the recorder, if that listens. A report that is dropped
// itself is not counted: the next report has the total. Returns `error`.
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

// Makes the system call itself, because writev(3) is a cancellation point. Returns 0 or a negative
// errno. The caller restores errno.
static long write_vector(int fd, const struct iovec *vector, int elements)
{
	return syscall(SYS_writev, fd, vector, elements) < 0 ? -errno : 0;
}

// Returns -EBADF if the program has closed our descriptor, else 0. The write also fails with EBADF
// if the last listener left between the test of the enable word and the write; the kernel clears
// the word a little later. An empty write tells the two cases apart: the kernel only looks up the
// descriptor and writes nothing, and a seccomp filter that allowed the first write allows this one.
static int closed_or_disabled(struct frec__event *event, int fd)
{
	int expected = fd;

	if (!(__atomic_load_n(&event->enabled, __ATOMIC_RELAXED) & FREC__USER_EVENTS_MASK) ||
	    write_vector(fd, NULL, 0) != -EBADF)
		return 0;
	// If frec_register() has installed a new descriptor since, that one stays.
	__atomic_compare_exchange_n(&frec__fd, &expected, -1, false, __ATOMIC_RELAXED,
				    __ATOMIC_RELAXED);
	return -EBADF;
}

// Returns the same as frec__emit().
static int send(struct frec__event *event, int fd, const struct iovec *vector, int elements)
{
	long r;

	// If a page of the payload is not in memory, the write fails with EFAULT but brings the
	// page in, and the next attempt finds it.
	for (int i = 0; i < ATTEMPTS; i++) {
		r = write_vector(fd, vector, elements);
		if (r != -EFAULT)
			break;
	}
	return r == -EBADF ? closed_or_disabled(event, fd) : (int)r;
}

static int emit_user_event(struct frec__event *event, struct iovec *vector, int elements)
{
	int fd;
	uint32_t index;

	// Load the descriptor before the index. An index belongs to one descriptor, and in this
	// order a thread that sees the new descriptor cannot see an index of the old one. Both
	// loads pair with the release stores in registration.c.
	fd = __atomic_load_n(&frec__fd, __ATOMIC_ACQUIRE);
	index = __atomic_load_n(&event->write_index, __ATOMIC_ACQUIRE);
	// The kernel may set the enable bit before register_event() has stored the index.
	if (index == FREC__NO_INDEX)
		return -ENOTCONN;
	if (fd < 0)
		return -EBADF;
	memcpy(vector[0].iov_base, &index, sizeof(index));
	return send(event, fd, vector, elements);
}

// Emits to the transports that need the payload in one piece, which is built on the stack. Copying
// also brings the pages of a string into memory, which a BPF program that reads the payload at the
// site cannot do, because it must not fault.
static __attribute__((noinline)) void emit_flat(struct frec__event *shm, const struct iovec *vector,
						const struct frec__payload *payload,
						frec__site *site, const uint64_t *args)
{
	uint64_t room[(FREC__SHM_ROOM_BEFORE + FREC__COMMON_SIZE + payload->size +
		       FREC__SHM_ROOM_AFTER + 7) /
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

// Emits to user_events, to the site, and, if `shm` is true, also to shared memory. Returns what
// frec__emit() returns.
static __attribute__((noinline)) int emit_others(struct frec__event *event, struct iovec *vector,
						 const uint16_t *places, frec__site *site,
						 const uint64_t *args, bool shm)
{
	uint32_t enabled = __atomic_load_n(&event->enabled, __ATOMIC_RELAXED);
	struct frec__payload payload;
	int r, saved_errno = errno;

	r = frec__payload_build(vector, places, &payload);
	if (r)
		return drop(event, payload.size, r);
	if (args || shm)
		emit_flat(shm ? event : NULL, vector, &payload, site, args);
	if (enabled & FREC__USER_EVENTS_MASK)
		r = emit_user_event(event, vector, payload.count);
	errno = saved_errno;
	if (r)
		return drop(event, payload.size, r);
	if (payload.cut)
		count(&frec__counts.cut);
	return 0;
}

int frec__emit(struct frec__event *event, struct iovec *vector, const uint16_t *places,
	       frec__site *site, const uint64_t *args)
{
	uint32_t enabled = __atomic_load_n(&event->enabled, __ATOMIC_RELAXED);
	bool shm = enabled & FREC__SHM_MASK;

	// Shared memory comes first, because the other transports can still use the vector after
	// it, and because it is most often the only listener.
	if (shm && frec__shm_emit(event, vector, places)) {
		if (enabled == FREC__SHM_MASK)
			return 0;
		shm = false;
	}
	return emit_others(event, vector, places, site, args, shm);
}

bool frec__listens(struct frec__event *event)
{
	uint32_t enabled = __atomic_load_n(&event->enabled, __ATOMIC_RELAXED);

	return enabled & ~FREC__SHM_MASK || (enabled & FREC__SHM_MASK && frec__shm_listens(event));
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
