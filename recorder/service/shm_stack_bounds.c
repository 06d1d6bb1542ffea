// SPDX-License-Identifier: MIT
// Finds the end of the stack that the calling thread runs on: see shm_stack_bounds.h.
//
// pthread_getattr_np(3) would tell, but it makes system calls and allocates memory. So there are
// two cases, and neither depends on who the thread is.
//
// The main stack of the process is one mapping up to the strings of its arguments and environment.
// It grows downwards, and the kernel keeps other mappings away from the room that RLIMIT_STACK
// gives it. So an address that is this close below the strings is on this stack.
//
// Other threads run on a block of memory that has their thread-local storage and their descriptor
// at its end. glibc keeps the block's start, size and guard size in that descriptor, in three
// words, one after the other. Their place depends on the version of glibc, but they show
// themselves: no other three words describe a block that contains the descriptor and the stack
// pointer and ends close behind the descriptor.
#include "recorder/service/shm_stack_bounds.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/resource.h>

// The kernel leaves at least 128 MB of address space to the main stack, but it may have less room
// than RLIMIT_STACK says if the limit was raised since.
#define MAIN_MAX ((uintptr_t)64 << 20)

// How many words of the descriptor are looked at: fewer than it has in any glibc. On x86_64 it
// begins at the thread pointer; elsewhere it ends there, or a little below.
#ifdef __x86_64__
#define DESCRIPTOR_WORDS (2176 / sizeof(uintptr_t))
#define DESCRIPTOR_BEFORE 0
#else
#define DESCRIPTOR_WORDS (1024 / sizeof(uintptr_t))
#define DESCRIPTOR_BEFORE DESCRIPTOR_WORDS
#endif

// How far behind the thread pointer the block ends at most.
#define BLOCK_AFTER ((uintptr_t)64 << 10)

// The bounds of the main stack: the strings at its end begin with the random bytes that the kernel
// gives each program.
static uintptr_t main_start, main_end;

static uintptr_t thread_pointer(void)
{
#if defined(__x86_64__)
	uintptr_t pointer;

	__asm__("movq %%fs:0, %0" : "=r"(pointer));
	return pointer;
#else
	return (uintptr_t)__builtin_thread_pointer();
#endif
}

void frec__shm_stack_bounds_init(void)
{
	uintptr_t end = getauxval(AT_RANDOM) & ~(sizeof(uintptr_t) - 1), size = MAIN_MAX;
	struct rlimit limit;

	if (getrlimit(RLIMIT_STACK, &limit))
		return;
	if (limit.rlim_cur < size)
		size = limit.rlim_cur;
	__atomic_store_n(&main_start, size < end ? end - size : 0, __ATOMIC_RELAXED);
	__atomic_store_n(&main_end, end, __ATOMIC_RELAXED);
}

// Returns whether these three words describe the block of the thread with this thread pointer, and
// whether `address` is on the stack in it.
static bool is_block(const uintptr_t words[3], uintptr_t pointer, uintptr_t address)
{
	uintptr_t start = words[0], size = words[1], guard = words[2];

	return start && size && start < pointer && size > pointer - start &&
	       size - (pointer - start) <= BLOCK_AFTER && guard <= pointer - start &&
	       address >= start + guard && address < pointer;
}

static uintptr_t thread_end(uintptr_t address)
{
#ifdef __GLIBC__
	static size_t found; // where the three words are, as far as is known
	uintptr_t pointer = thread_pointer();
	const uintptr_t *words = (const uintptr_t *)pointer - DESCRIPTOR_BEFORE;
	size_t at = __atomic_load_n(&found, __ATOMIC_RELAXED);

	if (is_block(words + at, pointer, address))
		return pointer;
	if (address >= pointer)
		return 0;
	for (at = 0; at + 3 <= DESCRIPTOR_WORDS; at++) {
		if (!is_block(words + at, pointer, address))
			continue;
		__atomic_store_n(&found, at, __ATOMIC_RELAXED);
		return pointer;
	}
#endif
	return 0;
}

uintptr_t frec__shm_stack_end(uintptr_t address)
{
	uintptr_t end = __atomic_load_n(&main_end, __ATOMIC_RELAXED);

	if (address < end && address >= __atomic_load_n(&main_start, __ATOMIC_RELAXED))
		return end;
	return thread_end(address);
}
