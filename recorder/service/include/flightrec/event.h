/* SPDX-License-Identifier: MIT */
/*
 * Declaring and emitting events.
 *
 *	FREC_EVENT(shop, request_done,
 *		FREC_U64(order_id), FREC_STR(path), FREC_I32(status), FREC_U64(latency_ns));
 *
 * is written at file scope, in any number of source files, headers and libraries, and declares
 *
 *	int frec_shop_request_done(uint64_t order_id, const char *path, int32_t status,
 *				   uint64_t latency_ns);
 *	bool frec_shop_request_done_enabled(void);
 *
 * While nothing listens, an event costs a load, a test and a branch, and FREC_EMIT(shop,
 * request_done, ...) does not evaluate its arguments. Any thread and any signal handler may use
 * FREC_EMIT and the two functions. They never allocate, lock, print or change errno, and are not
 * cancellation points. They block only while the kernel copies the event. frec_..._enabled() may be
 * used in every file that has the declaration, also in files that do not emit the event, but there
 * it does not notice other tools, such as bpftrace. Neither the provider, nor the name, nor a field
 * may have the name of a macro.
 *
 * An emit function returns 0 if the event was delivered or nothing listens, else
 *
 *	-ENOTCONN	the event is not registered (see frec_register)
 *	-E2BIG		the event's numbers and byte arrays take more than FREC_PAYLOAD_MAX bytes
 *	-EBADF		the program closed flightrec's descriptor, for example with closefrom(3)
 *	-EFAULT		a string, text, characters or byte array is at an address where nothing can
 *			be (see below), or, with user_events, changed while it was being read
 *
 * or another error of writev(2). Each dropped event is counted (frec_stats_read) and, if possible,
 * recorded as the event flightrec:lost. A string or text that does not fit is cut at the end of a
 * UTF-8 character and marked; if several are too long, the longest ones are cut. A string that is
 * NULL, and a text that is NULL and has a length, become "(null)". Bytes that are not UTF-8, and
 * NULs within a text, are recorded as they are.
 *
 * What an emit function is given must be readable, as for strlen(3) and memcpy(3): a string up to
 * its NUL (at most FREC_PAYLOAD_MAX bytes of it are read), characters up to their NUL or number,
 * and all bytes of a text or byte array. Whatever listens, nothing is read at addresses where a
 * process has no memory: below 64 KiB, and from 2^47 on (aarch64: from 2^48 on, apart from the
 * upper byte), where the kernel puts memory only for a program that asks for it. Error codes, the
 * patterns of freed memory and damaged pointers are mostly such addresses. An event with such an
 * address is dropped with -EFAULT. At any other address where there is no memory, reading crashes
 * the program. While nothing listens, nothing is read.
 *
 * Identifiers that begin with frec__ or FREC__ are internal. C++ reserves names with `__` for its
 * implementation, but no compiler uses names that begin like this. With a single underscore,
 * internal identifiers could clash with the functions that FREC_EVENT makes for somebody's provider
 * and name.
 */
#ifndef FLIGHTREC_EVENT_H
#define FLIGHTREC_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <flightrec/arguments.h>
#include <flightrec/check.h>
#include <flightrec/each.h>
#include <flightrec/version.h>

/* The largest size of an event's fields together, in bytes. The kernel silently drops an event that
 * is larger. */
#define FREC_PAYLOAD_MAX 8184

/*
 * The kinds of fields. An event has at most 40 fields. The compiler refuses a wrong field with an
 * error that says what is wrong (check.h). The kinds that are not obvious:
 * FREC_PTR	const void *, recorded as a number
 * FREC_STR	const char *, ended by NUL; at most FREC_PAYLOAD_MAX bytes of it are read
 * FREC_TEXT	text of known length, which need not end in NUL: two parameters of the functions,
 *		`const void *name, size_t name_size`, so that both char * and unsigned char * will
 *		do. In C++ there are also functions with one parameter for each text: a
 *		std::string_view or another object with data() and size() in bytes, a string that
 *		ends in NUL, or {name, name_size}
 * FREC_CHARS	const char *, of which up to `n` bytes are recorded, zero-padded; NULL counts
 *		as empty. `n`, from 1 to 1024, must be a literal or a macro for one, because its
 *		digits become part of the kernel's name for the type
 * FREC_BYTES	two parameters of the functions, `const void *name, size_t name_size`. The bytes are
 *		never cut; tools show them as text if they are printable, else as hexadecimal digits
 * FREC_ENUM	int, in C++ also an enum class; at most 40 enumerators, whose names and values tools
 *		find in the binary. Tools show State::idle as idle
 */
#define FREC_U8(name) \
	(frec_scalar, #name, name##_named_twice_or_no_identifier, name, uint8_t, uint8_t, "u8", \
	 "", "u8", "1")
#define FREC_U16(name) \
	(frec_scalar, #name, name##_named_twice_or_no_identifier, name, uint16_t, uint16_t, "u16", \
	 "", "u16", "2")
#define FREC_U32(name) \
	(frec_scalar, #name, name##_named_twice_or_no_identifier, name, uint32_t, uint32_t, "u32", \
	 "", "u32", "4")
#define FREC_U64(name) \
	(frec_scalar, #name, name##_named_twice_or_no_identifier, name, uint64_t, uint64_t, "u64", \
	 "", "u64", "8")
#define FREC_I8(name) \
	(frec_scalar, #name, name##_named_twice_or_no_identifier, name, int8_t, int8_t, "s8", "", \
	 "i8", "-1")
#define FREC_I16(name) \
	(frec_scalar, #name, name##_named_twice_or_no_identifier, name, int16_t, int16_t, "s16", \
	 "", "i16", "-2")
#define FREC_I32(name) \
	(frec_scalar, #name, name##_named_twice_or_no_identifier, name, int32_t, int32_t, "s32", \
	 "", "i32", "-4")
#define FREC_I64(name) \
	(frec_scalar, #name, name##_named_twice_or_no_identifier, name, int64_t, int64_t, "s64", \
	 "", "i64", "-8")
#define FREC_BOOL(name) \
	(frec_scalar, #name, name##_named_twice_or_no_identifier, name, bool, uint8_t, \
	 "unsigned char", "", "bool", "1")
#define FREC_F32(name) \
	(frec_scalar, #name, name##_named_twice_or_no_identifier, name, float, float, \
	 "struct float", " 4", "f32", "4")
#define FREC_F64(name) \
	(frec_scalar, #name, name##_named_twice_or_no_identifier, name, double, double, \
	 "struct double", " 8", "f64", "8")
#define FREC_PTR(name) \
	(frec_scalar, #name, name##_named_twice_or_no_identifier, name, const void *, uint64_t, \
	 "u64", "", "ptr", "8")
#define FREC_STR(name) (frec_string, #name, name##_named_twice_or_no_identifier, name)
#define FREC_TEXT(name) (frec_text, #name, name##_named_twice_or_no_identifier, name, name##_size)
#define FREC_CHARS(name, n) (frec_chars, #name, name##_named_twice_or_no_identifier, name, n)
#define FREC_BYTES(name) (frec_bytes, #name, name##_named_twice_or_no_identifier, name, name##_size)
#define FREC_ENUM(name, ...) \
	(frec_enum, #name, name##_named_twice_or_no_identifier, name, #__VA_ARGS__, __VA_ARGS__)

#define FREC_EVENT(provider, ...) \
	FREC__EVENT(provider, #provider, #__VA_ARGS__, FREC__FIRST(__VA_ARGS__, ~), __VA_ARGS__)

#define FREC_EMIT(provider, ...) FREC__EMIT(provider, __VA_ARGS__, 0)

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Registers with the kernel all events that are not registered, either because tracefs was not
 * mounted or the rights were missing when their program or library was loaded, or because the
 * program has closed flightrec's descriptor since. Emitting never tries this by itself, because an
 * unexpected open(2) can kill a program under seccomp. For events in shared memory, the call also
 *
 *	learns the ids of the calling process and thread: until a child of clone(2) or _Fork(3)
 *		makes this call, the child's events say that their process is unknown
 *	changes to coarse times if the thread has been denied the exact clock (frec_clock_coarse)
 *	gives back the memory of a recorder that was killed
 *
 * If nothing is left to do, the call makes four system calls at most. Any thread may call it, but
 * no signal handler, and no thread in strict seccomp. Returns 0 if every event is registered, else
 * the negative errno of the first failure. The function that frec_set_log() has set is called for
 * each failure.
 */
FREC_PUBLIC int frec_register(void);

/*
 * Does what frec_register does, for a process without rights to tracefs: uses a duplicate of `fd`,
 * which another process opened on user_events_data for writing. The caller keeps `fd` and may close
 * it. If flightrec has a working descriptor already, that one stays in use. Returns what
 * frec_register returns, or -ENOTTY if `fd` is another kind of file, or -EBADF if it is not open
 * for writing.
 */
FREC_PUBLIC int frec_register_fd(int fd);

/*
 * Sets the function that is called if an event cannot be registered, with the reason, and when a
 * recorder has been started, with its transport; NULL, the default, for none. `log` gets one line
 * without newline. It runs within frec_register, frec_register_fd and frec_recorder_start, and
 * while a library is being loaded or unloaded. It must not call any of these functions or
 * frec_set_log, and must not load a library or fork.
 */
FREC_PUBLIC void frec_set_log(void (*log)(void *ctx, const char *message), void *ctx);

/*
 * Makes the events that this process writes into shared memory have coarse times: those of
 * CLOCK_MONOTONIC_COARSE, which are up to one tick of the kernel's timer (1 to 10 ms) old. Records
 * of one CPU stay in their order. This is for a program that enters SECCOMP_MODE_STRICT or calls
 * prctl(2) with PR_SET_TSC later: exact times need an instruction that is forbidden from then on
 * and would kill the program. The call is not needed if PR_SET_TSC came before the program was
 * loaded or before the last frec_register(), or if the machine's clock cannot be read without a
 * system call: flightrec finds that out by itself. Coarse times last until the process ends, also
 * in its forked children. Makes no system call. Any thread and any signal handler may call it. The
 * kernel dates the events of the other transports.
 */
FREC_PUBLIC void frec_clock_coarse(void);

/*
 * Makes the events that this process emits from now on come without the call stacks that libunwind
 * takes (stack=self). This is for a program that enters seccomp later: libunwind makes system calls
 * (mmap, pipe2, mincore, read, write, rt_sigprocmask), for which a thread may then be killed, if a
 * recorder asks for such stacks. Other call stacks, and the events themselves, need no system call.
 * Lasts until the process ends, also in its forked children. frec_clock_coarse() does this as well.
 * Makes no system call. Any thread and any signal handler may call it.
 */
FREC_PUBLIC void frec_stacks_off(void);

/* Counters, all of which were 0 when this process, or the one that it was forked from, started. */
struct frec_stats {
	size_t size;		       /* set by the caller to sizeof(struct frec_stats) */
	uint64_t events;	       /* events that are loaded at present */
	uint64_t registered;	       /* those of them that are registered with the kernel */
	uint64_t cut;		       /* events emitted with a string that was cut */
	uint64_t dropped_unregistered; /* events dropped with -ENOTCONN */
	uint64_t dropped_too_large;    /* events dropped with -E2BIG */
	uint64_t dropped_closed;       /* events dropped with -EBADF */
	uint64_t dropped_fault;	       /* events dropped with -EFAULT */
	uint64_t dropped_other;	       /* events dropped with another errno */
	uint64_t stacks_left_out;      /* events emitted without the call stack that was wanted */
};

/*
 * Fills the first `stats->size` bytes of `stats`. Any thread and any signal handler may call it.
 * Each count is exact, but the counts are not read at the same moment. Returns 0, or -EINVAL if
 * `size` is not the size that the structure has in this version of the library or an older one.
 */
FREC_PUBLIC int frec_stats_read(struct frec_stats *stats);

/* The rest is for the code that FREC_EVENT expands to. */

/* One event of one translation unit. It is never in .bss, because `enabled` is also a USDT
 * semaphore, which the kernel finds by its offset in the file. */
struct frec__event {
	uint32_t enabled; /* not zero: something listens, see FREC__..._MASK below */
	uint32_t size;	  /* bytes of this structure, which may grow in later versions */
	uint32_t
		write_index; /* the kernel's number for the event; FREC__NO_INDEX: not registered */
	/* not 0: registered with the kernel; guarded by the lock in registration.c */
	uint32_t registered;
	const char *name; /* "shop:request_done" */
	/* for the kernel: "shop__request_done u64 order_id; ..." */
	const char *declaration;
	uint64_t dropped;
	const void *described; /* the event's entry in section frec_declarations */
	/* lower half: the slot in a recorder's table; upper half: the generation of that table;
	 * FREC__NO_INDEX: none */
	uint32_t shm_slot;
	/* how the library finds the event's call stack for that recorder; 0: not at all */
	uint32_t shm_stack;
};

/*
 * The parts of frec__event.enabled, which say what listens. The first part is a bit that the kernel
 * sets and clears for user_events. The second is a 16-bit counter, a USDT semaphore, that the
 * kernel counts up and down. The third is a bit that the library sets and clears for memory that it
 * shares with a recorder. The fourth is a bit that is set with the third one only, if that recorder
 * wants call stacks.
 */
#define FREC__USER_EVENTS_MASK 0x80000000u
#define FREC__USDT_MASK 0x0000ffffu
#define FREC__SHM_MASK 0x00010000u
#define FREC__SHM_STACK_MASK 0x00020000u

/* One executable or shared library, and the events in it. */
struct frec__object {
	struct frec__object *next;
	struct frec__event **events, **end; /* both are equal if the object is not in the list */
	void *reserved[2];
};

#define FREC__NO_INDEX UINT32_MAX

/* An element of `places` is the offset of a locator, with one of the flags unless it is a
 * string's. */
#define FREC__BYTES_FLAG 0x8000 /* a byte array, which is never cut */
#define FREC__TEXT_FLAG 0x4000	/* a text of known length */
#define FREC__PLACE_MASK 0x3fff /* the offset */

FREC_PUBLIC void frec__object_register(struct frec__object *object, struct frec__event **events,
				       struct frec__event **end);
FREC_PUBLIC void frec__object_unregister(struct frec__object *object);

/*
 * These functions emit an event that an emit function has laid out, and return what that emit
 * function returns.
 *
 * frec__emit_fixed is for an event without strings, texts and byte arrays, if nobody listens at its
 * site. `payload` has `size` bytes, of which the first 4 are room for the kernel's number for the
 * event.
 *
 * The others are for an event with n strings, texts and byte arrays. `vector` has the fixed part of
 * the payload, which begins with that room, and then the data: each string with its NUL, each text
 * followed by a NUL. In front of `vector` are n elements of workspace. `shape` has the number of
 * elements of `vector`; then, for each string, text and byte array, the offset of its locator in
 * the fixed part, with its flag, which a string does not have; then a 0. `size` is the size of the
 * payload without the room. It exceeds FREC_PAYLOAD_MAX if a string or text is NULL, is where
 * nothing can be read, or has to be cut, or if a text ends in a NUL of its own. `site` and `args`
 * are for the listeners at the event's site (site.h).
 */
typedef void frec__site(const uint64_t *args, const void *payload, uint64_t size);
FREC_PUBLIC int frec__emit_fixed(struct frec__event *event, void *payload, size_t size);
FREC_PUBLIC int frec__emit_vector(struct frec__event *event, struct iovec *vector,
				  const uint16_t *shape, size_t size);
FREC_PUBLIC int frec__emit_site(struct frec__event *event, struct iovec *vector,
				const uint16_t *shape, size_t size, frec__site *site,
				const uint64_t *args);

/* Returns the length of a string, or FREC_PAYLOAD_MAX if it is longer, is NULL, or is at an address
 * where nothing can be read. */
FREC_PUBLIC size_t frec__text_length(const char *text);
/* Returns the size of a text with its NUL, or more than FREC_PAYLOAD_MAX if the text is not simple:
 * too long, at an address where nothing can be read, or with a NUL of its own at the end. */
FREC_PUBLIC size_t frec__counted_size(const void *text, size_t length);
/* Copies characters and pads them with zeroes. Returns false, and stores only zeroes, if nothing
 * can be at the address `from`. NULL counts as empty. */
FREC_PUBLIC bool frec__copy_chars(char *to, const char *from, size_t size);
/* Drops an event because of `error`, a negative errno, and returns `error`. */
FREC_PUBLIC int frec__refuse(struct frec__event *event, int error);

/*
 * For programs that were compiled with an older header: `vector` has the fixed part, n elements of
 * workspace, then the n pieces; strings have no iov_len. `places` is `shape` without its first
 * element. `site` and `args` are NULL if nobody listens at the site.
 */
FREC_PUBLIC int frec__emit(struct frec__event *event, struct iovec *vector, const uint16_t *places,
			   frec__site *site, const uint64_t *args);
/* Returns whether somebody still listens to an event whose enable word is not 0. The word alone
 * does not say this, because nothing clears it when a recorder with shared memory ends. */
FREC_PUBLIC bool frec__listens(struct frec__event *event);

/*
 * The linker defines these two in each executable and library, because the section's name is a C
 * identifier. They are weak, for programs that include this header but declare no event.
 */
extern struct frec__event *__start_frec_events[] __attribute__((weak, visibility("hidden")));
extern struct frec__event *__stop_frec_events[] __attribute__((weak, visibility("hidden")));

/*
 * Each translation unit defines these, and the linker keeps one of each. The constructor still runs
 * once for each unit, and does nothing from the second time on. It has priority 101, the earliest
 * that programs may use, so that events which other constructors emit are recorded. The destructor
 * is for dlclose(3): without it, the kernel would go on setting a bit in memory that is soon used
 * for something else. When the program itself exits, the destructor does nothing.
 */
extern struct frec__object frec__this_object __attribute__((weak, visibility("hidden")));
struct frec__object frec__this_object;
__attribute__((weak, visibility("hidden"), constructor(101))) void frec__load(void);
__attribute__((weak, visibility("hidden"), destructor(101))) void frec__unload(void);

void frec__load(void)
{
	frec__object_register(&frec__this_object, __start_frec_events, __stop_frec_events);
}

void frec__unload(void)
{
	frec__object_unregister(&frec__this_object);
}

static inline __attribute__((unused)) int frec__off(void)
{
	return 0;
}

#ifdef __cplusplus
}
#endif

/* Without `retain`, a linker that collects unused sections may drop events, because only the bounds
 * of their section refer to them. */
#define FREC__RETAIN
#ifdef __has_attribute
#if __has_attribute(retain)
#undef FREC__RETAIN
#define FREC__RETAIN , retain
#endif
#endif
#define FREC__KEEP(name) __attribute__((section(name), used, aligned(8) FREC__RETAIN))

#include <flightrec/fields.h>
#include <flightrec/site.h>

#endif
