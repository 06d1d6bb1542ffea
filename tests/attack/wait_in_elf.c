// SPDX-License-Identifier: MIT
// Stops whoever opens an ELF file, so that a test can look at the process: takes the place of
// elf_begin(3), and waits there without a system call that a sandbox would forbid.
//	LD_PRELOAD=wait_in_elf.so WAIT_IN_ELF=FILE flightrec ...
// FILE has two bytes: it waits while the first is 1, and sets the second to 1 before.
#include <dlfcn.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

// The tree is compiled with hidden symbols.
#pragma GCC visibility push(default)

static volatile char *state;
static void *(*next)(int fd, int command, void *elf);

void *elf_begin(int fd, int command, void *elf);

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("WAIT_IN_ELF");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *map = fd < 0 ? MAP_FAILED : mmap(NULL, 2, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (fd >= 0)
		close(fd);
	if (map != MAP_FAILED)
		state = map;
	*(void **)&next = dlsym(RTLD_NEXT, "elf_begin");
}

void *elf_begin(int fd, int command, void *elf)
{
	while (state && state[0] == 1)
		state[1] = 1;
	return next(fd, command, elf);
}
