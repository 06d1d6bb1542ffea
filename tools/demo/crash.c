/* SPDX-License-Identifier: MIT */
/*
 * Ways to crash, one for each kind of crash that a recorder must survive. They are real: recursion
 * overflows the stack, the heap is overwritten, memory is used up. raise(3) is used only if nothing
 * else on the machine causes the signal.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shop.h"

#define ARENA_SIZE ((uintptr_t)64 << 20) /* alignment of glibc's per-thread arenas */
/* The start of a thread's arena is not overwritten: its lock is there, and if that were garbage,
 * malloc() would wait for it for ever instead of crashing. */
#define ARENA_HEAD 4096

static volatile int zero, sink;

static void die_null(void)
{
	*(volatile int *)(uintptr_t)zero = 42;
}

static void die_divide(void)
{
#ifdef __x86_64__
	sink = sink / zero; /* not a constant, or the compiler would drop the division */
#else
	raise(SIGFPE); /* division by zero does not trap on other machines */
#endif
}

static void die_illegal(void)
{
#ifdef __x86_64__
	__asm__ volatile("ud2");
#else
	__asm__ volatile(".inst 0");
#endif
}

static void die_trap(void)
{
#ifdef __x86_64__
	__asm__ volatile("int3");
#else
	__asm__ volatile("brk #0");
#endif
}

static void die_bus(void)
{
	int fd = memfd_create("shopd", MFD_CLOEXEC);
	volatile char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	/* The mapping is longer than its file, which is empty. */
	if (page != MAP_FAILED)
		*page = 1;
}

__attribute__((noinline)) static int recurse(int depth)
{
	volatile char frame[512];

	frame[depth % sizeof(frame)] = (char)depth;
	if (depth == INT32_MAX)
		return 0;
	return recurse(depth + 1) + frame[depth % sizeof(frame)];
}

static void die_overflow(void)
{
	sink = recurse(zero);
}

/* Fills the memory between `from` and `to` with garbage. */
static void overwrite(uintptr_t from, uintptr_t to)
{
	volatile unsigned char *byte;

	for (byte = (unsigned char *)from; byte < (unsigned char *)to; byte++)
		*byte = 0xa5;
}

/* Overwrites the main heap and this thread's, then goes on as if nothing had happened. */
static void die_heap(void)
{
	static char maps[1 << 20];
	void *blocks[64] = {0};
	uintptr_t mine, start, end;
	ssize_t size, used = 0;
	char *line, *next;
	int i, fd;

	for (i = 0; i < 64; i++)
		blocks[i] = malloc(16 + 40 * i);
	mine = (uintptr_t)blocks[0];
	fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	while ((size = read(fd, maps + used, sizeof(maps) - 1 - used)) > 0)
		used += size;
	close(fd);
	maps[used] = '\0';
	for (line = maps; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		start = strtoul(line, &line, 16);
		end = *line ? strtoul(line + 1, &line, 16) : 0;
		if (strstr(line, "[heap]")) {
			overwrite(start, end);
		} else if (mine >= start && mine < end) {
			uintptr_t arena = (mine & ~(ARENA_SIZE - 1)) + ARENA_HEAD;

			overwrite(arena > start ? arena : start, end);
		}
	}
	for (i = 0;; i++) {
		free(blocks[i % 64]);
		blocks[i % 64] = malloc(16 + 24 * (i % 200));
	}
}

static int die_memory(void)
{
	const size_t size = 16 << 20;

	for (;;) {
		char *more = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				  -1, 0);

		if (more == MAP_FAILED)
			return -ENOMEM;
		memset(more, 1, size);
	}
}

int shop_crash(const char *how)
{
	if (!strcmp(how, "null"))
		die_null();
	else if (!strcmp(how, "abort"))
		abort();
	else if (!strcmp(how, "fpe"))
		die_divide();
	else if (!strcmp(how, "ill"))
		die_illegal();
	else if (!strcmp(how, "bus"))
		die_bus();
	else if (!strcmp(how, "trap"))
		die_trap();
	else if (!strcmp(how, "overflow"))
		die_overflow();
	else if (!strcmp(how, "heap"))
		die_heap();
	else if (!strcmp(how, "exit"))
		exit(3);
	else if (!strcmp(how, "oom"))
		return die_memory();
	return -EINVAL;
}
