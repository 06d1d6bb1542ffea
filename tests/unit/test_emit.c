// SPDX-License-Identifier: MIT
// Proves what an emit function writes and returns, byte by byte, without a kernel that has
// user_events: the descriptor is one end of a socket pair, and the test sets the enable word.
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <cmocka.h>

#include "flightrec/recorder.h"
#include "recorder/service/emit.h"

#define TAG_SIZE 8
#define SHUT 9 // the enumerator must be called SHUT, although SHUT is a macro

enum door { OPEN = -2, AJAR = 4 };

FREC_EVENT(unit_emit, nothing);
FREC_EVENT(unit_emit, kinds, FREC_U8(u8), FREC_I8(i8), FREC_U16(u16), FREC_I16(i16), FREC_U32(u32),
	   FREC_I32(i32), FREC_U64(u64), FREC_I64(i64), FREC_BOOL(yes), FREC_F32(f32),
	   FREC_F64(f64), FREC_PTR(pointer), FREC_CHARS(tag, TAG_SIZE),
	   FREC_ENUM(door, OPEN, AJAR, SHUT), FREC_STR(text), FREC_BYTES(raw));
FREC_EVENT(unit_emit, forty, FREC_U8(a0), FREC_U8(a1), FREC_U8(a2), FREC_U8(a3), FREC_U8(a4),
	   FREC_U8(a5), FREC_U8(a6), FREC_U8(a7), FREC_U8(a8), FREC_U8(a9), FREC_U8(b0),
	   FREC_U8(b1), FREC_U8(b2), FREC_U8(b3), FREC_U8(b4), FREC_U8(b5), FREC_U8(b6),
	   FREC_U8(b7), FREC_U8(b8), FREC_U8(b9), FREC_U8(c0), FREC_U8(c1), FREC_U8(c2),
	   FREC_U8(c3), FREC_U8(c4), FREC_U8(c5), FREC_U8(c6), FREC_U8(c7), FREC_U8(c8),
	   FREC_U8(c9), FREC_U8(d0), FREC_U8(d1), FREC_U8(d2), FREC_U8(d3), FREC_U8(d4),
	   FREC_U8(d5), FREC_U8(d6), FREC_U8(d7), FREC_U8(d8), FREC_U8(d9));
FREC_EVENT(unit_emit, large, FREC_BYTES(raw));
FREC_EVENT(unit_emit, site, FREC_STR(first), FREC_I8(i8), FREC_CHARS(tag, TAG_SIZE), FREC_F64(f64),
	   FREC_BYTES(raw), FREC_BOOL(yes), FREC_STR(last), FREC_ENUM(door, OPEN, AJAR),
	   FREC_PTR(pointer), FREC_U64(u64), FREC_F32(f32), FREC_U16(twelfth), FREC_STR(more));
FREC_EVENT(unit_emit, pieces, FREC_STR(first), FREC_U16(number), FREC_BYTES(raw), FREC_STR(last));

#define ON (1u << FREC__USER_EVENTS_BIT)

static int reader;

static struct frec_stats stats(void)
{
	struct frec_stats stats = {.size = sizeof(stats)};

	assert_int_equal(frec_stats_read(&stats), 0);
	return stats;
}

static void enable(struct frec__event *event, uint32_t index)
{
	event->enabled = ON;
	event->write_index = index;
}

static int setup(void **state)
{
	int pair[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair))
		return -1;
	reader = pair[0];
	frec__fd = pair[1];
	return 0;
}

static int teardown(void **state)
{
	struct frec__event *const events[] = {
		&frec__event_unit_emit_nothing, &frec__event_unit_emit_kinds,
		&frec__event_unit_emit_forty,	&frec__event_unit_emit_large,
		&frec__event_unit_emit_pieces,	&frec__event_unit_emit_site};

	(void)state;
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		events[i]->enabled = 0;
		events[i]->write_index = FREC__NO_INDEX;
	}
	if (frec__fd >= 0)
		close(frec__fd);
	frec__fd = -1;
	close(reader);
	return 0;
}

static int evaluated;

static uint8_t expensive(void)
{
	return (uint8_t)++evaluated;
}

static void test_off(void **state)
{
	char buffer[64];

	(void)state;
	evaluated = 0;
	assert_false(frec_unit_emit_large_enabled());
	assert_int_equal(FREC_EMIT(unit_emit, large, "x", expensive()), 0);
	assert_int_equal(evaluated, 0);
	enable(&frec__event_unit_emit_large, 1);
	assert_true(frec_unit_emit_large_enabled());
	assert_int_equal(FREC_EMIT(unit_emit, large, "x", expensive()), 0);
	assert_int_equal(evaluated, 1);
	// Somebody listens, but not through the kernel's user_events.
	frec__event_unit_emit_large.enabled = 1;
	assert_int_equal(frec_unit_emit_large("xyz", 3), 0);
	assert_int_equal(read(reader, buffer, sizeof(buffer)), 4 + 4 + 1);
	assert_int_equal(read(reader, buffer, sizeof(buffer)), -1);
}

static void test_nothing(void **state)
{
	uint32_t index[2];

	(void)state;
	enable(&frec__event_unit_emit_nothing, 77);
	errno = ENOTTY;
	assert_int_equal(FREC_EMIT(unit_emit, nothing), 0);
	assert_int_equal(errno, ENOTTY);
	assert_int_equal(read(reader, index, sizeof(index)), 4);
	assert_int_equal(index[0], 77);
}

static void test_kinds(void **state)
{
	struct __attribute__((packed)) {
		uint32_t index;
		uint8_t u8;
		int8_t i8;
		uint16_t u16;
		int16_t i16;
		uint32_t u32;
		int32_t i32;
		uint64_t u64;
		int64_t i64;
		uint8_t yes;
		float f32;
		double f64;
		uint64_t pointer;
		char tag[TAG_SIZE];
		int32_t door;
		uint16_t text_at, text_size;
		uint16_t raw_at, raw_size;
		char text[3];
		char raw[4];
	} got, want = {3,    1,	     -2,    3,	  -4, 5, -6, 7, -8,   1,	   1.5f,
		       -2.5, 0x1234, "tag", OPEN, 4,  3, 3,  4, "hi", {1, 0, 2, 0}};

	(void)state;
	enable(&frec__event_unit_emit_kinds, 3);
	assert_int_equal(frec_unit_emit_kinds(1, -2, 3, -4, 5, -6, 7, -8, true, 1.5f, -2.5,
					      (void *)0x1234, "tag", OPEN, "hi", "\1\0\2", 4),
			 0);
	assert_int_equal(read(reader, &got, sizeof(got)), sizeof(got));
	assert_memory_equal(&got, &want, sizeof(got));
	// A tag as long as its field has no NUL, a longer one is cut, and NULL is empty.
	frec_unit_emit_kinds(1, -2, 3, -4, 5, -6, 7, -8, true, 1.5f, -2.5, NULL, "123456789", AJAR,
			     "hi", "", 0);
	assert_true(read(reader, &got, sizeof(got)) > 0);
	assert_memory_equal(got.tag, "12345678", TAG_SIZE);
	frec_unit_emit_kinds(1, -2, 3, -4, 5, -6, 7, -8, true, 1.5f, -2.5, NULL, NULL, AJAR, "hi",
			     "", 0);
	assert_true(read(reader, &got, sizeof(got)) > 0);
	assert_memory_equal(got.tag, "\0\0\0\0\0\0\0", TAG_SIZE);
}

static void test_forty_fields(void **state)
{
	uint8_t got[44];

	(void)state;
	enable(&frec__event_unit_emit_forty, 3);
	FREC_EMIT(unit_emit, forty, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17,
		  18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37,
		  38, 39);
	assert_int_equal(read(reader, got, sizeof(got)), sizeof(got));
	for (int i = 0; i < 40; i++)
		assert_int_equal(got[4 + i], i);
}

static void test_declaration(void **state)
{
	const char *want = "unit_emit\0kinds\0u8 u8\0i8 i8\0u16 u16\0i16 i16\0u32 u32\0i32 "
			   "i32\0u64 u64\0i64 i64\0"
			   "bool yes\0f32 f32\0f64 f64\0ptr pointer\0chars tag:8\0"
			   "enum door:OPEN, AJAR, SHUT\0str text\0bytes raw\0";

	(void)state;
	assert_int_equal(frec__declaration_unit_emit_kinds.magic, FREC__DECLARATION_MAGIC);
	assert_int_equal(frec__declaration_unit_emit_kinds.size % 8, 0);
	assert_int_equal(frec__declaration_unit_emit_kinds.enumerators, 3);
	assert_true(frec__declaration_unit_emit_kinds.value[0] == OPEN);
	assert_true(frec__declaration_unit_emit_kinds.value[1] == AJAR);
	assert_true(frec__declaration_unit_emit_kinds.value[2] == SHUT);
	assert_memory_equal(frec__declaration_unit_emit_kinds.text, want,
			    frec__declaration_unit_emit_kinds.text_size);
	assert_string_equal(frec__event_unit_emit_kinds.name, "unit_emit:kinds");
	assert_string_equal(
		frec__event_unit_emit_kinds.declaration,
		"unit_emit__kinds u8 u8; s8 i8; u16 u16; s16 i16; u32 u32; s32 i32; u64 u64; s64 "
		"i64; "
		"unsigned char yes; struct float f32 4; struct double f64 8; u64 pointer; "
		"char[8] tag; s32 door; __rel_loc char[] text; __rel_loc u8[] raw");
}

// What the kernel gets from one emit.
struct got {
	ssize_t size;
	char bytes[4 + FREC_PAYLOAD_MAX + 1];
};

struct __attribute__((packed)) pieces {
	uint32_t index;
	uint16_t first_at, first_size;
	uint16_t number;
	uint16_t raw_at, raw_size;
	uint16_t last_at, last_size;
};

static void receive(struct got *ret)
{
	memset(ret->bytes, 0, sizeof(ret->bytes));
	ret->size = read(reader, ret->bytes, sizeof(ret->bytes));
}

// Checks that each piece is where its locator points to, right behind the one before it, and that
// nothing comes after the last one.
static void check_pieces(const struct got *got, const char *first, const void *raw, size_t raw_size,
			 const char *last)
{
	struct pieces fixed;
	size_t at = sizeof(fixed);

	memcpy(&fixed, got->bytes, sizeof(fixed));
	assert_int_equal(fixed.index, 5);
	assert_int_equal(fixed.number, 0x1234);
	assert_int_equal(offsetof(struct pieces, number) + fixed.first_at, at);
	assert_int_equal(fixed.first_size, strlen(first) + 1);
	assert_string_equal(got->bytes + at, first);
	at += fixed.first_size;
	assert_int_equal(offsetof(struct pieces, last_at) + fixed.raw_at, at);
	assert_int_equal(fixed.raw_size, raw_size);
	assert_memory_equal(got->bytes + at, raw, raw_size);
	at += raw_size;
	assert_int_equal(sizeof(fixed) + fixed.last_at, at);
	assert_int_equal(fixed.last_size, strlen(last) + 1);
	assert_string_equal(got->bytes + at, last);
	assert_int_equal(got->size, at + fixed.last_size);
}

static void test_pieces(void **state)
{
	static char longest[FREC_PAYLOAD_MAX], kept[FREC_PAYLOAD_MAX];
	const size_t room = FREC_PAYLOAD_MAX - (sizeof(struct pieces) - 4);
	struct frec_stats before = stats();
	struct pieces fixed;
	struct got got;

	(void)state;
	enable(&frec__event_unit_emit_pieces, 5);
	errno = ENOTTY;
	assert_int_equal(frec_unit_emit_pieces("one", 0x1234, "\0\1", 2, "three"), 0);
	receive(&got);
	check_pieces(&got, "one", "\0\1", 2, "three");
	assert_int_equal(frec_unit_emit_pieces("", 0x1234, NULL, 0, ""), 0);
	receive(&got);
	check_pieces(&got, "", "", 0, "");
	assert_int_equal(frec_unit_emit_pieces(NULL, 0x1234, "x", 1, "three"), 0);
	receive(&got);
	check_pieces(&got, "(null)", "x", 1, "three");
	assert_int_equal(frec_unit_emit_pieces("one", 0x1234, "x", 1, NULL), 0);
	receive(&got);
	check_pieces(&got, "one", "x", 1, "(null)");

	// Lengthens a string up to the longest one that fits. A string that is longer by a byte is
	// cut, and then two NULs are set aside for each string.
	memset(longest, 'x', room - 7 - 1);
	assert_int_equal(frec_unit_emit_pieces("one", 0x1234, "12", 2, longest), 0);
	receive(&got);
	assert_int_equal(got.size, 4 + FREC_PAYLOAD_MAX - 1);
	longest[room - 7 - 1] = 'x';
	assert_int_equal(frec_unit_emit_pieces("one", 0x1234, "12", 2, longest), 0);
	receive(&got);
	assert_int_equal(got.size, 4 + FREC_PAYLOAD_MAX);
	check_pieces(&got, "one", "12", 2, longest);
	assert_int_equal(stats().cut, before.cut);
	longest[room - 7] = 'x';
	assert_int_equal(frec_unit_emit_pieces("one", 0x1234, "12", 2, longest), 0);
	receive(&got);
	memcpy(&fixed, got.bytes, sizeof(fixed));
	assert_int_equal(got.size, 4 + FREC_PAYLOAD_MAX - 1);
	assert_int_equal(fixed.last_size, room - 4 - 2 - 1);
	memset(kept, 'x', fixed.last_size - 2u);
	assert_memory_equal(got.bytes + got.size - fixed.last_size, kept, fixed.last_size);
	assert_int_equal(stats().cut, before.cut + 1);
	assert_int_equal(errno, ENOTTY);
}

static const void *at_site;

static void site(const uint64_t *args, const void *payload, uint64_t size)
{
	assert_int_equal(args[0], 77);
	assert_string_equal((const char *)payload + size - 6, "three");
	at_site = payload;
}

// Emits `pieces` as the functions in the first header of this version did.
static int emit_as_before(const char *first, const void *raw, size_t raw_size, const char *last,
			  const uint64_t *args)
{
	static const uint16_t places[] = {
		offsetof(struct pieces, first_at),
		offsetof(struct pieces, raw_at) | FREC__BYTES_FLAG,
		offsetof(struct pieces, last_at),
		0,
	};
	struct pieces fixed = {.number = 0x1234};
	struct iovec vector[1 + 2 * 3] = {
		[0] = {&fixed, sizeof(fixed)},
		[4] = {(void *)(uintptr_t)first, 0},
		[5] = {(void *)(uintptr_t)raw, raw_size},
		[6] = {(void *)(uintptr_t)last, 0},
	};

	return frec__emit(&frec__event_unit_emit_pieces, vector, places, args ? site : NULL, args);
}

// Programs that were compiled with an older header go on working.
static void test_programs_of_before(void **state)
{
	static char text[20000], raw[FREC_PAYLOAD_MAX];
	static const uint64_t args[12] = {77};
	const struct {
		const char *first;
		const void *raw;
		size_t raw_size;
		const char *last;
	} cases[] = {
		{"one", "\0\1", 2, "three"},  {"", NULL, 0, ""},
		{NULL, "x", 1, NULL},	      {text, raw, 100, "three"},
		{text, raw, 100, text},	      {"one", raw, sizeof(raw) - 20, "three"},
		{text, raw, sizeof(raw), ""}, {"", raw, SIZE_MAX, ""},
	};
	struct got now, before;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	enable(&frec__event_unit_emit_pieces, 5);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int r = frec_unit_emit_pieces(cases[i].first, 0x1234, cases[i].raw,
					      cases[i].raw_size, cases[i].last);

		receive(&now);
		errno = ENOTTY;
		assert_int_equal(emit_as_before(cases[i].first, cases[i].raw, cases[i].raw_size,
						cases[i].last, NULL),
				 r);
		assert_int_equal(errno, ENOTTY);
		receive(&before);
		assert_int_equal(before.size, now.size);
		assert_memory_equal(before.bytes, now.bytes, sizeof(now.bytes));
	}
	frec__event_unit_emit_pieces.enabled |= 1;
	assert_int_equal(emit_as_before(text, "x", 1, "three", args), 0);
	assert_non_null(at_site);
	receive(&now);
	assert_int_equal(now.size, 4 + FREC_PAYLOAD_MAX - 1);
}

static void test_drops_are_counted(void **state)
{
	static char raw[FREC_PAYLOAD_MAX];
	struct frec_stats before = stats(), after;
	uint64_t dropped = frec__event_unit_emit_large.dropped;

	(void)state;
	enable(&frec__event_unit_emit_large, FREC__NO_INDEX);
	errno = ENOTTY;
	assert_int_equal(frec_unit_emit_large("x", 1), -ENOTCONN);
	enable(&frec__event_unit_emit_large, 1);
	assert_int_equal(frec_unit_emit_large(raw, sizeof(raw)), -E2BIG);
	assert_int_equal(frec_unit_emit_large((void *)8, 1), -EFAULT);
	close(frec__fd);
	assert_int_equal(frec_unit_emit_large("x", 1), -EBADF);
	assert_int_equal(errno, ENOTTY);
	after = stats();
	assert_int_equal(after.dropped_unregistered, before.dropped_unregistered + 1);
	assert_int_equal(after.dropped_too_large, before.dropped_too_large + 1);
	assert_int_equal(after.dropped_fault, before.dropped_fault + 1);
	assert_int_equal(after.dropped_closed, before.dropped_closed + 1);
	assert_int_equal(frec__event_unit_emit_large.dropped, dropped + 4);
}

#ifdef __x86_64__
// What each writev(2) of a child returns, how many the child has made, and during which of them the
// event is turned off (-1: none).
static int answers[4], calls, clear_at = -1;

static void answer(int signal, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)signal;
	(void)info;
	if (calls == clear_at)
		frec__event_unit_emit_large.enabled = 0;
	registers[REG_RAX] = calls < 4 ? answers[calls] : -EINVAL;
	calls++;
}

// Emits once in a child whose writev(2) gets `answers`. Returns what the emit function returned, or
// -101 if it did not make `want` calls, changed errno, or did not count one drop in `counter`
// (NULL: no drop).
static int emit_with_answers(int want, const uint64_t *counter)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_writev, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};
	struct sigaction action = {.sa_sigaction = answer, .sa_flags = SA_SIGINFO};
	uint64_t before = counter ? *counter : 0, dropped = frec__event_unit_emit_large.dropped;
	int r, status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		sigaction(SIGSYS, &action, NULL);
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
			_exit(100);
		errno = ENOTTY;
		r = frec_unit_emit_large("x", 1);
		if (calls != want || errno != ENOTTY ||
		    (counter ? *counter != before + 1
			     : frec__event_unit_emit_large.dropped != dropped))
			_exit(101);
		_exit(-r);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return -WEXITSTATUS(status);
}

static void answers_are(int first, int second, int third)
{
	memcpy(answers, (int[]){first, second, third, -EINVAL}, sizeof(answers));
}

// Proves how often the kernel is asked, and what its answers mean.
static void test_what_the_kernel_says(void **state)
{
	(void)state;
	enable(&frec__event_unit_emit_large, 1);
	answers_are(9, 0, 0);
	assert_int_equal(emit_with_answers(1, NULL), 0);
	// A page was not in memory: first at one try only, and then at every try.
	answers_are(-EFAULT, 9, 0);
	assert_int_equal(emit_with_answers(2, NULL), 0);
	answers_are(-EFAULT, -EFAULT, -EFAULT);
	assert_int_equal(emit_with_answers(3, &frec__counts.dropped_fault), -EFAULT);
	// The call was refused, for example by a seccomp filter.
	answers_are(-EPERM, 9, 0);
	assert_int_equal(emit_with_answers(1, &frec__counts.dropped_other), -EPERM);
	// The descriptor was closed. In the other two cases the last listener has left, and the
	// kernel has not cleared the enable word yet, or it has.
	answers_are(-EBADF, -EBADF, 0);
	assert_int_equal(emit_with_answers(2, &frec__counts.dropped_closed), -EBADF);
	answers_are(-EBADF, 0, 0);
	assert_int_equal(emit_with_answers(2, NULL), 0);
	clear_at = 0;
	answers_are(-EBADF, 0, 0);
	assert_int_equal(emit_with_answers(1, NULL), 0);
	clear_at = -1;
}
#endif

#ifndef __has_feature
#define __has_feature(name) 0
#endif
// The thread sanitizer delays signal handlers.
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__) && !__has_feature(thread_sanitizer)
#define BREAKPOINTS
static uint64_t trapped[12];
static char trapped_payload[256];
static size_t trapped_size;

static void trap(int signal, siginfo_t *info, void *context)
{
	const greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)signal;
	(void)info;
	trapped_size = (size_t)registers[REG_RDX];
	memcpy(trapped, (const void *)registers[REG_RDI], sizeof(trapped));
	memcpy(trapped_payload, (const void *)registers[REG_RSI],
	       trapped_size < sizeof(trapped_payload) ? trapped_size : sizeof(trapped_payload));
}

// A breakpoint at the site finds the fields where the notes place them, and the same payload as the
// kernel gets.
static void test_what_a_breakpoint_finds(void **state)
{
	struct sigaction action = {.sa_sigaction = trap, .sa_flags = SA_SIGINFO}, before;
	const char *first = "one", *tag = "tag", *raw = "\0\1", *last = "two";
	uint8_t *site = (uint8_t *)(uintptr_t)frec__site_unit_emit_site;
	uintptr_t page = (uintptr_t)site & ~(uintptr_t)4095;
	double f64 = -2.5;
	float f32 = 1.5f;
	struct got got;
	uint64_t word;

	(void)state;
	assert_int_equal(mprotect((void *)page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC), 0);
	while (*site != 0x90) // behind an endbr64, if the compiler emits one
		site++;
	*site = 0xcc;
	assert_int_equal(sigaction(SIGTRAP, &action, &before), 0);
	enable(&frec__event_unit_emit_site, 5);
	frec__event_unit_emit_site.enabled |= 1;
	assert_int_equal(frec_unit_emit_site(first, -3, tag, f64, raw, 2, true, last, AJAR,
					     (void *)0x1234, 7, f32, 12, "more"),
			 0);
	sigaction(SIGTRAP, &before, NULL);
	*site = 0x90;

	assert_int_equal(trapped[0], (uintptr_t)first);
	assert_int_equal((int8_t)trapped[1], -3);
	assert_int_equal(trapped[2], (uintptr_t)tag);
	memcpy(&word, &f64, sizeof(f64));
	assert_int_equal(trapped[3], word);
	assert_int_equal(trapped[4], (uintptr_t)raw);
	assert_int_equal(trapped[5], 1);
	assert_int_equal(trapped[6], (uintptr_t)last);
	assert_int_equal(trapped[7], AJAR);
	assert_int_equal(trapped[8], 0x1234);
	assert_int_equal(trapped[9], 7);
	memcpy(&word, &f32, sizeof(f32));
	assert_int_equal((uint32_t)trapped[10], (uint32_t)word);
	assert_int_equal(trapped[11], 12);
	receive(&got);
	assert_int_equal(got.size, 4 + trapped_size);
	assert_memory_equal(got.bytes + 4, trapped_payload, trapped_size);
}
#endif

// After one EBADF the descriptor's number is forgotten, so a file that gets this number later is
// not written to.
static void test_closed_descriptor_is_forgotten(void **state)
{
	int number = frec__fd, pipe_ends[2];
	char byte;

	(void)state;
	enable(&frec__event_unit_emit_large, 1);
	close(number);
	assert_int_equal(frec_unit_emit_large("x", 1), -EBADF);
	assert_int_equal(pipe2(pipe_ends, O_NONBLOCK), 0);
	assert_int_equal(dup2(pipe_ends[1], number), number);
	assert_int_equal(frec_unit_emit_large("x", 1), -EBADF);
	assert_int_equal(read(pipe_ends[0], &byte, 1), -1);
	close(number);
	close(pipe_ends[0]);
	if (pipe_ends[1] != number)
		close(pipe_ends[1]);
}

static void test_wrong_descriptors_are_refused(void **state)
{
	int null = open("/dev/null", O_RDONLY);

	(void)state;
	assert_int_equal(frec_register_fd(reader), -ENOTTY);
	assert_int_equal(frec_register_fd(null), -EBADF);
	assert_int_equal(frec_register_fd(-1), -EBADF);
	close(null);
}

static void test_stats_of_other_sizes(void **state)
{
	struct frec_stats small = {.size = offsetof(struct frec_stats, cut), .cut = 99};
	struct frec_stats large = {.size = sizeof(large) + 8}, unset = {0};

	(void)state;
	assert_int_equal(frec_stats_read(&small), 0);
	assert_int_equal(small.cut, 99);
	assert_true(small.events >= 5);
	assert_int_equal(frec_stats_read(&large), -EINVAL);
	assert_int_equal(frec_stats_read(&unset), -EINVAL);
}

// Options of a later version are refused if they are used, and `error` names the reason. The
// structure of an older caller is read only up to its size.
static void test_options_of_other_sizes(void **state)
{
	char error[100] = "";
	struct {
		struct frec_recorder_options known;
		uint64_t later;
	} options = {
		.known = {.size = sizeof(options), .error = error, .error_size = sizeof(error)},
		.later = 1,
	};
	struct frec_recorder *recorder = NULL;

	(void)state;
	assert_int_equal(frec_recorder_start(&options.known, &recorder), -EINVAL);
	assert_non_null(strstr(error, "version"));
	options.known.size = sizeof(size_t) - 1;
	assert_int_equal(frec_recorder_start(&options.known, &recorder), -EINVAL);
	options.later = 0;
	options.known.size = sizeof(options);
	options.known.keeper = "/nonexistent/flightrec";
	assert_int_equal(frec_recorder_start(&options.known, &recorder), -ENOENT);
	assert_non_null(strstr(error, "/nonexistent/flightrec"));
	options.known.size = offsetof(struct frec_recorder_options, transport);
	options.known.transport = (const char *)1; // beyond the size, so it must not be read
	assert_int_equal(frec_recorder_start(&options.known, &recorder), -ENOENT);
	assert_null(recorder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_off, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kinds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forty_fields, setup, teardown),
		cmocka_unit_test_setup_teardown(test_declaration, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_programs_of_before, setup, teardown),
		cmocka_unit_test_setup_teardown(test_drops_are_counted, setup, teardown),
#ifdef __x86_64__
		cmocka_unit_test_setup_teardown(test_what_the_kernel_says, setup, teardown),
#endif
#ifdef BREAKPOINTS
		cmocka_unit_test_setup_teardown(test_what_a_breakpoint_finds, setup, teardown),
#endif
		cmocka_unit_test_setup_teardown(test_closed_descriptor_is_forgotten, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_wrong_descriptors_are_refused, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_stats_of_other_sizes, setup, teardown),
		cmocka_unit_test(test_options_of_other_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
