// SPDX-License-Identifier: MIT
// Emitting an event, in the threads and signal handlers of a service. Emitting takes no lock,
// allocates nothing, and keeps errno. It makes one system call for user_events, and more only if
// that call fails. With glibc, it makes none for other transports.
//
// A service can close our descriptor, with closefrom(3) or a loop of close(2). A later file could
// then get its number, and events would be written into that file. Two measures prevent this.
// data_file.c picks a high number, where the kernel puts no file unless it is asked to. The first
// emit that fails with EBADF forgets the number for the whole process. One case remains: a program
// closes all descriptors, emits nothing, and then opens about a thousand files or duplicates a
// descriptor to just that number. Such a program must call frec_register() right after it has
// closed them, to get a new descriptor.
//
// Rejected: positioned writes. They fail on sockets and pipes, but overwrite the beginning of a
// regular file, and many seccomp filters that allow writev(2) do not allow them.
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "recorder/service/emit.h"
#include "recorder/service/payload.h"
#include "recorder/service/readable.h"
#include "recorder/service/shm_emit.h"

#define ATTEMPTS 3
#define COLD __attribute__((noinline, cold))

// Reports that an event was dropped. `error` is the reason, a positive errno; `total` is how many
// times that event has been dropped so far.
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

// Counts a dropped event and reports it to the recorder, if the recorder listens to flightrec:lost.
// A report that is dropped itself is not counted: the next report has the total. Returns `error`.
static COLD int drop(struct frec__event *event, size_t size, int error)
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

// Does not use writev(3), which is a cancellation point and changes errno. On x86_64, executes the
// instruction here, because function calls would take longer. Returns a negative errno if the write
// fails.
static inline int write_vector(int fd, const struct iovec *vector, int elements)
{
#if defined(__x86_64__) && defined(__LP64__)
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(SYS_writev), "D"(fd), "S"(vector), "d"(elements)
			 : "rcx", "r11", "memory");
	return (int)r;
#else
	int saved_errno = errno;
	int r = syscall(SYS_writev, fd, vector, elements) < 0 ? -errno : 0;

	errno = saved_errno;
	return r;
#endif
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

// Makes one attempt to write an event. `payload` is the data of the first element. Returns a
// negative errno if the write fails, or -ENOTCONN if there is no index or no descriptor. Sets
// *ret_fd to the descriptor in any case.
static inline __attribute__((always_inline)) int write_once(struct frec__event *event,
							    const struct iovec *vector,
							    int elements, void *payload,
							    int *ret_fd)
{
	uint32_t index;
	int fd;

	// Load the descriptor before the index. An index belongs to one descriptor, and in this
	// order a thread that sees the new descriptor cannot see an index of the old one. Both
	// loads pair with the release stores in registration.c.
	*ret_fd = fd = __atomic_load_n(&frec__fd, __ATOMIC_ACQUIRE);
	index = __atomic_load_n(&event->write_index, __ATOMIC_ACQUIRE);
	// The kernel may set the enable bit before register_event() has stored the index. The
	// kernel's indexes are small, so one test of the sign finds both FREC__NO_INDEX and the
	// descriptor -1.
	if (__builtin_expect((fd | (int)index) < 0, 0))
		return -ENOTCONN;
	memcpy(payload, &index, sizeof(index));
	return write_vector(fd, vector, elements);
}

// Handles the failure `r` of write_once(): tries again, or drops the event. Returns what an emit
// function returns.
static COLD int write_failed(struct frec__event *event, struct iovec *vector, int elements, int fd,
			     int r)
{
	size_t size = 0;

	// The kernel checks the address of an element even if the element is empty. Bytes of length
	// 0 may be at any address.
	for (int i = 0; r == -EFAULT && i < elements; i++) {
		if (!vector[i].iov_len)
			vector[i].iov_base = vector;
	}
	// If a page of the payload is not in memory, the write fails with EFAULT but brings the
	// page in, and the next attempt finds it.
	for (int i = 1; i < ATTEMPTS && r == -EFAULT; i++)
		r = write_vector(fd, vector, elements);
	if (r == -ENOTCONN && __atomic_load_n(&event->write_index, __ATOMIC_RELAXED) <= INT32_MAX)
		r = -EBADF;
	else if (r == -EBADF)
		r = closed_or_disabled(event, fd);
	if (r >= 0)
		return 0;
	for (int i = 0; i < elements; i++)
		size += vector[i].iov_len;
	return drop(event, size - sizeof(uint32_t), r);
}

// Emits to the transports that need the payload in one piece, and builds that piece on the stack.
// Copying also brings the pages of a string into memory, which a BPF program that reads the payload
// at the site cannot do, because it must not fault.
static inline __attribute__((always_inline)) void lay_out(char *flat, const struct iovec *vector,
							  const struct frec__payload *payload)
{
	char *next = flat + FREC__COMMON_SIZE;

	memset(flat, 0, FREC__COMMON_SIZE);
	next = mempcpy(next, (char *)vector[0].iov_base + sizeof(uint32_t),
		       vector[0].iov_len - sizeof(uint32_t));
	for (int i = 1; i < payload->count; i++)
		next = mempcpy(next, vector[i].iov_base, vector[i].iov_len);
}

static __attribute__((noinline)) void emit_flat(struct frec__event *shm, const struct iovec *vector,
						const struct frec__payload *payload,
						frec__site *site, const uint64_t *args)
{
	uint64_t room[(FREC__SHM_ROOM_BEFORE + FREC__COMMON_SIZE + payload->size +
		       FREC__SHM_ROOM_AFTER + 7) /
		      8];
	char *flat = (char *)room + FREC__SHM_ROOM_BEFORE;

	lay_out(flat, vector, payload);
	if (shm)
		frec__shm_emit_flat(shm, flat, FREC__COMMON_SIZE + payload->size);
	if (args)
		site(args, flat + FREC__COMMON_SIZE, payload->size);
}

// Emits to shared memory with the call stack of the caller.
static __attribute__((noinline)) void emit_with_stack(struct frec__event *event,
						      const struct iovec *vector,
						      const struct frec__payload *payload,
						      const struct frec__shm_caller *caller)
{
	struct frec_shm_chain chain;

	if (!frec__shm_listens(event))
		return;
	frec__shm_stack_take((int)__atomic_load_n(&event->shm_stack, __ATOMIC_RELAXED), caller,
			     &chain);

	uint64_t room[(FREC__SHM_ROOM_BEFORE + FREC__COMMON_SIZE + payload->size +
		       FREC__SHM_ROOM_AFTER + 7) /
			      8 +
		      1 + chain.count];
	char *flat = (char *)room + FREC__SHM_ROOM_BEFORE + frec__shm_chain_size(&chain);

	lay_out(flat, vector, payload);
	frec__shm_emit_chain(event, &chain, flat, FREC__COMMON_SIZE + payload->size);
}

// Returns whether all byte arrays are at addresses that can be read. A write to user_events does
// not need this check, and strings and texts were checked when they were measured.
static bool bytes_readable(const struct iovec *vector, const uint16_t *shape)
{
	for (shape++, vector++; *shape; vector += frec__is_text(*shape) ? 2 : 1, shape++)
		if (frec__is_bytes(*shape) &&
		    !frec__readable_bytes(vector->iov_base, vector->iov_len))
			return false;
	return true;
}

// Rearranges a vector for frec__payload_build(): the workspace goes between the fixed part and the
// data, and each text becomes one element. Returns the new beginning of the vector.
static struct iovec *with_workspace(struct iovec *vector, const uint16_t *shape)
{
	struct iovec *from = vector + 1, *to = vector + 1;

	for (shape++; *shape; from += frec__is_text(*shape) ? 2 : 1, shape++)
		*to++ = *from;
	vector[-(to - vector - 1)] = vector[0];
	return vector - (to - vector - 1);
}

// Emits to all transports that listen. The arguments are those of frec__emit_site(), but `site` and
// `args` may be NULL.
static __attribute__((noinline)) int emit_others(struct frec__event *event, struct iovec *vector,
						 const uint16_t *shape, size_t size,
						 frec__site *site, const uint64_t *args)
{
	uint32_t enabled = __atomic_load_n(&event->enabled, __ATOMIC_RELAXED);
	struct frec__payload payload = {.count = shape[0], .size = size};
	bool shm = enabled & FREC__SHM_MASK, stack = shm && enabled & FREC__SHM_STACK_MASK;
	int fd, r;

	if (size > FREC_PAYLOAD_MAX) {
		vector = with_workspace(vector, shape);
		r = frec__payload_build(vector, shape + 1, &payload);
		if (r)
			return drop(event, payload.size, r);
	} else if (!bytes_readable(vector, shape)) {
		return drop(event, size, -EFAULT);
	} else if (shm && !stack) {
		frec__shm_emit(event, vector, shape + 1, size);
		shm = false;
	}
	if (stack) {
		// Functions that call this one are done by then, so it returns to the caller.
		const struct frec__shm_caller caller = {__builtin_frame_address(0),
							(uintptr_t)__builtin_return_address(0)};

		emit_with_stack(event, vector, &payload, &caller);
		shm = false;
	}
	if (args || shm)
		emit_flat(shm ? event : NULL, vector, &payload, site, args);
	if (enabled & FREC__USER_EVENTS_MASK) {
		r = write_once(event, vector, payload.count, vector[0].iov_base, &fd);
		if (r < 0)
			r = write_failed(event, vector, payload.count, fd, r);
		if (r < 0)
			return r;
	}
	if (payload.cut)
		count(&frec__counts.cut);
	return 0;
}

static __attribute__((noinline)) int emit_vector_others(struct frec__event *event,
							struct iovec *vector, const uint16_t *shape,
							size_t size)
{
	if (__builtin_expect(size <= FREC_PAYLOAD_MAX, 1) &&
	    __atomic_load_n(&event->enabled, __ATOMIC_RELAXED) == FREC__SHM_MASK &&
	    bytes_readable(vector, shape))
		return frec__shm_emit(event, vector, shape + 1, size);
	return emit_others(event, vector, shape, size, NULL, NULL);
}

// In this function and the next, the fast path is for user_events alone. Every other case is a tail
// call, so that no register has to be saved.
int frec__emit_vector(struct frec__event *event, struct iovec *vector, const uint16_t *shape,
		      size_t size)
{
	int elements = shape[0], fd, r;

	if (__builtin_expect(size > FREC_PAYLOAD_MAX, 0) ||
	    __atomic_load_n(&event->enabled, __ATOMIC_RELAXED) != FREC__USER_EVENTS_MASK)
		return emit_vector_others(event, vector, shape, size);
	r = write_once(event, vector, elements, vector[0].iov_base, &fd);
	if (__builtin_expect(r < 0, 0))
		return write_failed(event, vector, elements, fd, r);
	return 0;
}

int frec__emit_fixed(struct frec__event *event, void *payload, size_t size)
{
	static const uint16_t shape[] = {1, 0};
	struct iovec vector = {payload, size};
	uint32_t enabled = __atomic_load_n(&event->enabled, __ATOMIC_RELAXED);
	int fd, r;

	if (__builtin_expect(enabled == FREC__USER_EVENTS_MASK, 1)) {
		r = write_once(event, &vector, 1, payload, &fd);
		if (__builtin_expect(r < 0, 0))
			return write_failed(event, &vector, 1, fd, r);
		return 0;
	}
	size -= sizeof(uint32_t);
	if (enabled == FREC__SHM_MASK)
		return frec__shm_emit(event, &vector, shape + 1, size);
	return emit_others(event, &vector, shape, size, NULL, NULL);
}

int frec__emit_site(struct frec__event *event, struct iovec *vector, const uint16_t *shape,
		    size_t size, frec__site *site, const uint64_t *args)
{
	return emit_others(event, vector, shape, size, site, args);
}

int frec__refuse(struct frec__event *event, int error)
{
	return drop(event, 0, error);
}

// Lays out the event of a program with an older header as the present header does.
int frec__emit(struct frec__event *event, struct iovec *vector, const uint16_t *places,
	       frec__site *site, const uint64_t *args)
{
	size_t size = vector[0].iov_len - sizeof(uint32_t);
	uint16_t n = 0;

	while (places[n])
		n++;

	uint16_t shape[n + 2];
	struct iovec *piece = vector + n;

	shape[0] = (uint16_t)(n + 1);
	memcpy(shape + 1, places, (n + 1) * sizeof(*places));
	*piece++ = vector[0];
	for (; *places; places++, piece++) {
		size_t at = *places & ~FREC__BYTES_FLAG;
		uint32_t locator = frec__is_bytes(*places) ? frec__bytes(piece, &size, at)
							   : frec__string(piece, &size, at);

		memcpy((char *)vector[0].iov_base + at, &locator, sizeof(locator));
	}
	if (args)
		return frec__emit_site(event, vector + n, shape, size, site, args);
	return frec__emit_vector(event, vector + n, shape, size);
}

bool frec__listens(struct frec__event *event)
{
	uint32_t enabled = __atomic_load_n(&event->enabled, __ATOMIC_RELAXED);

	return enabled & ~(FREC__SHM_MASK | FREC__SHM_STACK_MASK) ||
	       (enabled & FREC__SHM_MASK && frec__shm_listens(event));
}

size_t frec__text_length(const char *text)
{
	return frec__readable(text) ? strnlen(text, FREC_PAYLOAD_MAX) : FREC_PAYLOAD_MAX;
}

size_t frec__counted_size(const void *text, size_t length)
{
	const struct iovec whole = {(void *)(uintptr_t)text, length};

	if (length > FREC_PAYLOAD_MAX || !frec__readable_bytes(text, length) ||
	    frec__ends_in_nul(&whole))
		return FREC_PAYLOAD_MAX + 1;
	return length + 1;
}

bool frec__copy_chars(char *to, const char *from, size_t size)
{
	bool readable = frec__readable(from);

	strncpy(to, readable ? from : "", size);
	return readable || !from;
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
