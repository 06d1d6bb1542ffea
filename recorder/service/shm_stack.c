// SPDX-License-Identifier: MIT
// Takes the call stack of the thread that emits: see shm_stack.h.
//
// libunwind is used by its name alone, with dlopen(3), so that the library depends on libc. The
// reference to dlopen() is weak: a static program has none unless it asks for it.
#include "recorder/service/shm_stack.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>

#include "recorder/service/emit.h"
#include "recorder/service/readable.h"
#include "recorder/service/shm_identity.h"
#include "recorder/service/shm_stack_bounds.h"

extern __typeof__(dlopen) dlopen __attribute__((weak));
extern __typeof__(dlsym) dlsym __attribute__((weak));

#define LIBUNWIND "libunwind.so.8"

// Frames of this library, which come before the one that called it.
#define OWN_FRAMES 8

// How far up the stack is_in_handler() looks. A handler that has used more is not expected.
#define HANDLER_MAX ((uintptr_t)64 << 10)

typedef int unwind_function(void **buffer, int size);
static unwind_function *unwind;

// The address to which signal handlers return; 0: not known.
static uintptr_t restorer;

// How many threads are in libunwind.
static uint32_t inside;

static bool off; // frec_stacks_off() was called, or libunwind's locks may be taken for ever

static bool may_be_code(uintptr_t address)
{
	return frec__distance((const void *)address) < FREC__ADDRESSES;
}

static void begin(const struct frec__shm_caller *caller, struct frec_shm_chain *ret)
{
	ret->word[0] = PERF_CONTEXT_USER;
	// Points into the instruction that made the call, because nothing follows it in the
	// program's order.
	ret->word[1] = caller->address - 1;
	ret->count = 2;
}

// The frame of a function has the frame pointer of its caller, and after it the address where the
// function returns to. Code without frame pointers leaves anything in that register, so each frame
// must be above the one before and within the stack.
static void follow_frames(const struct frec__shm_caller *caller, uintptr_t end,
			  struct frec_shm_chain *ret)
{
	uintptr_t at = (uintptr_t)caller->frame, next;

	begin(caller, ret);
	for (next = *caller->frame; ret->count < 1 + FREC_SHM_ADDRESSES_MAX;
	     at = next, next = *(const uintptr_t *)at) {
		uintptr_t address;

		if (next <= at || next % sizeof(next) || end < 2 * sizeof(next) ||
		    next > end - 2 * sizeof(next))
			return;
		address = ((const uintptr_t *)next)[1];
		if (!may_be_code(address))
			return;
		ret->word[ret->count++] = address;
	}
}

// Returns whether the thread is in a signal handler, or was a short while ago: the kernel puts the
// address that the handler returns to below the state of the interrupted code, which has the
// address of the stack at which it goes on. An old such pair can still be in a buffer that nobody
// has filled since; then a stack is left out that could be had.
__attribute__((no_sanitize("address"))) static bool is_in_handler(uintptr_t from, uintptr_t end)
{
#ifdef __x86_64__
	// From the address of the handler's return to the stack pointer in struct ucontext.
	const size_t stack_pointer = 1 + 5 + 15;
	uintptr_t top = end - from < HANDLER_MAX ? end : from + HANDLER_MAX;

	for (const uintptr_t *at = (const void *)from; (uintptr_t)at < top; at++) {
		uintptr_t pointer;

		if (*at != restorer || (uintptr_t)(at + stack_pointer) >= end)
			continue;
		pointer = at[stack_pointer];
		if (pointer > (uintptr_t)at && pointer <= end)
			return true;
	}
	return false;
#else
	(void)from;
	(void)end;
	return true;
#endif
}

static bool may_unwind(uintptr_t from, uintptr_t end)
{
	return __atomic_load_n(&unwind, __ATOMIC_ACQUIRE) &&
	       !__atomic_load_n(&off, __ATOMIC_RELAXED) &&
	       __atomic_load_n(frec__shm_process, __ATOMIC_RELAXED) != FREC__SHM_UNKNOWN &&
	       __atomic_load_n(frec__shm_process, __ATOMIC_RELAXED) && !is_in_handler(from, end);
}

static __attribute__((noinline)) void ask_libunwind(const struct frec__shm_caller *caller,
						    struct frec_shm_chain *ret)
{
	void *found[OWN_FRAMES + FREC_SHM_ADDRESSES_MAX];
	int count, at, saved_errno = errno, cancel;

	// libunwind has cancellation points.
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	__atomic_fetch_add(&inside, 1, __ATOMIC_RELAXED);
	count = unwind(found, OWN_FRAMES + FREC_SHM_ADDRESSES_MAX);
	__atomic_fetch_sub(&inside, 1, __ATOMIC_RELAXED);
	pthread_setcancelstate(cancel, NULL);
	errno = saved_errno;
	for (at = 0; at < count && at < OWN_FRAMES; at++)
		if ((uintptr_t)found[at] == caller->address)
			break;
	if (at == count || at == OWN_FRAMES)
		return;
	begin(caller, ret);
	while (++at < count && ret->count < 1 + FREC_SHM_ADDRESSES_MAX &&
	       may_be_code((uintptr_t)found[at]))
		ret->word[ret->count++] = (uintptr_t)found[at];
}

void frec__shm_stack_take(int how, const struct frec__shm_caller *caller,
			  struct frec_shm_chain *ret)
{
	uintptr_t from = (uintptr_t)caller->frame, end = frec__shm_stack_end(from);

	ret->count = 0;
	if (end && how == FREC_SHM_STACK_FRAMES)
		follow_frames(caller, end, ret);
	else if (end && how == FREC_SHM_STACK_SELF && may_unwind(from, end))
		ask_libunwind(caller, ret);
	if (!ret->count)
		__atomic_fetch_add(&frec__counts.stacks_left_out, 1, __ATOMIC_RELAXED);
}

void frec_stacks_off(void)
{
	__atomic_store_n(&off, true, __ATOMIC_RELAXED);
}

void frec__shm_stack_forked(void)
{
	if (__atomic_load_n(&inside, __ATOMIC_RELAXED))
		frec_stacks_off();
}

#ifdef __x86_64__
// For dl_iterate_phdr(3): looks for what signal handlers return to in the segment that contains
// sigaction(3), which chooses the place. Returns 1 in the program or library that contains it.
static int find_restorer(struct dl_phdr_info *object, size_t size, void *context)
{
	// mov $15, %rax; syscall. Debuggers and unwinders know this sequence, so it is always it.
	static const uint8_t code[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};

	(void)size;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		uintptr_t start = object->dlpi_addr + segment->p_vaddr;

		if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X) ||
		    *(uintptr_t *)context - start >= segment->p_memsz)
			continue;
		*(uintptr_t *)context = (uintptr_t)memmem((const void *)start, segment->p_memsz,
							  code, sizeof(code));
		return 1;
	}
	return 0;
}
#endif

static uintptr_t restorer_of_libc(void)
{
#if defined(__x86_64__) && defined(__GLIBC__)
	uintptr_t address = (uintptr_t)sigaction;

	return dl_iterate_phdr(find_restorer, &address) == 1 ? address : 0;
#else
	return 0;
#endif
}

static int load(void)
{
	int saved_errno = errno;
	void *library, *function = NULL;

	if (unwind)
		return 0;
	restorer = restorer_of_libc();
	if (!restorer)
		return -ENOTSUP;
	library = dlopen && dlsym ? dlopen(LIBUNWIND, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) : NULL;
	if (library)
		function = dlsym(library, "unw_backtrace");
	errno = saved_errno;
	if (!function)
		return -ENOENT;
	// Pairs with the load in may_unwind().
	__atomic_store_n(&unwind, (unwind_function *)function, __ATOMIC_RELEASE);
	return 0;
}

int frec__shm_stack_prepare(int how)
{
	frec__shm_stack_bounds_init();
	return how == FREC_SHM_STACK_SELF ? load() : 0;
}
