// SPDX-License-Identifier: MIT
// Programs whose file is not where it was when they crash. The first argument says what happens
// before the crash, and the others are paths that it needs:
//
//	none		nothing
//	deleted		the program's file is deleted
//	replaced OTHER	OTHER takes the place of the program's file, as in an upgrade
//	root FOLDER	FOLDER becomes the root folder
//	library FILE	a library is loaded, its file is deleted, and the crash is in the library
//	memory FILE	a copy of a library in memory is loaded (memfd), and the crash is in it
//	anonymous	the program's code is moved to anonymous memory, as with `node
//			--use-largepages=on`: at the same addresses, by mmap(2) over it
//	moved		the same, by mremap(2) over it
//
// `MOVED_SLEEP` in the environment is how many milliseconds to wait before and after that. Compiled
// with MOVED_EMITS, the program emits an event before it crashes, and embeds a recorder with the
// options KEEPER, FOLDER, EVENTS and TRANSPORT of the environment if there is a KEEPER.
// With MOVED_BIG it is so large that not all of it is kept, with MOVED_NEWER it is another version,
// and with MOVED_LIBRARY it is the library.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef MOVED_EMITS
#include <flightrec/event.h>
#include <flightrec/recorder.h>

FREC_EVENT(moved, fired, FREC_U64(number));

static void begin(void)
{
	static struct frec_recorder *recorder;
	const char *events[] = {getenv("EVENTS"), NULL};
	const char *keeper = getenv("KEEPER");
	char error[256] = "";
	struct frec_recorder_options options = {.size = sizeof(options),
						.folder = getenv("FOLDER"),
						.events = events,
						.keeper = keeper,
						.error = error,
						.error_size = sizeof(error)};

	options.transport = getenv("TRANSPORT");
	if (keeper && frec_recorder_start(&options, &recorder)) {
		fprintf(stderr, "%s\n", error);
		_exit(2);
	}
}

#define EMIT() frec_moved_fired(7)
#else
#define begin()
#define EMIT()
#endif

#ifdef MOVED_BIG
const char big[3 << 20] = {1};
#endif

#define FRAME __attribute__((noinline, noclone, noipa))
#define AFTER __asm__ volatile("" ::: "memory")

static volatile uintptr_t null_address;
static volatile int sink;

#ifdef MOVED_NEWER
// What an upgrade has at the addresses of the functions below.
void newer_function(void)
{
	for (int i = 0; i < 100; i++)
		sink += i * sink;
	AFTER;
}

void another_newer_function(void)
{
	for (int i = 0; i < 77; i++)
		sink ^= i + sink;
	AFTER;
}
#endif

#ifdef MOVED_LIBRARY

FRAME static int library_leaf(const int *bad)
{
	return *bad;
}

FRAME static void library_middle(void)
{
	sink = library_leaf((const int *)null_address);
	AFTER;
}

void library_crash(void)
{
	library_middle();
	AFTER;
}

#else

FRAME static int leaf(const int *bad)
{
	return *bad;
}

FRAME static void middle(void)
{
	char room[200];

	memset(room, sink, sizeof(room));
	sink = room[sink & 1];
	EMIT();
	sink = leaf((const int *)null_address);
	AFTER;
}

FRAME static void outer(void)
{
	middle();
	AFTER;
}

static void pause_a_while(void)
{
	const char *wait = getenv("MOVED_SLEEP");

	usleep((useconds_t)(wait ? atoi(wait) : 0) * 1000);
}

static void fail(const char *what)
{
	perror(what);
	_exit(1);
}

static const char *own_path(void)
{
	static char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n < 0)
		fail("/proc/self/exe");
	return path;
}

static void (*load(const char *path))(void)
{
	void *library = dlopen(path, RTLD_NOW);

	if (!library) {
		fprintf(stderr, "%s\n", dlerror());
		_exit(1);
	}
	return (void (*)(void))(uintptr_t)dlsym(library, "library_crash");
}

static const char *copy_in_memory(const char *path)
{
	static char name[64];
	int from = open(path, O_RDONLY | O_CLOEXEC), to = memfd_create("library", MFD_CLOEXEC);
	char block[4096];
	ssize_t n;

	while ((n = read(from, block, sizeof(block))) > 0) {
		if (write(to, block, (size_t)n) != n)
			fail("memfd");
	}
	snprintf(name, sizeof(name), "/proc/self/fd/%d", to);
	return name;
}

// Finds the mapping that has this function.
static void find_text(uintptr_t *ret_start, uintptr_t *ret_end)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	uintptr_t here = (uintptr_t)find_text;
	char line[4096];

	while (maps && fgets(line, sizeof(line), maps)) {
		unsigned long start, end;

		if (sscanf(line, "%lx-%lx", &start, &end) == 2 && start <= here && here < end) {
			*ret_start = start;
			*ret_end = end;
			fclose(maps);
			return;
		}
	}
	fail("maps");
}

// System calls and copying without the C library: this runs while the stubs that lead there are
// being replaced.
#define ALONE __attribute__((section("mover"), noinline, noclone, aligned(4096)))

#if defined(__x86_64__)
#define CALL_MMAP 9
#define CALL_MREMAP 25
static inline __attribute__((always_inline)) long call(long number, long a, long b, long c, long d,
						       long e, long f)
{
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

// Puts what `copy` has in the place of the program's code, from `start` to `end`: by moving the
// pages of `copy`, or by copying them into new ones.
ALONE static void put(uintptr_t start, uintptr_t end, char *copy, int by_mremap)
{
	long size = (long)(end - start), fixed = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

	if (by_mremap) {
		call(CALL_MREMAP, (long)copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED,
		     (long)start, 0);
		return;
	}
	call(CALL_MMAP, (long)start, size, PROT_READ | PROT_WRITE | PROT_EXEC, fixed, -1, 0);
	__asm__ volatile("rep movsb" : "+D"(start), "+S"(copy), "+c"(size) : : "memory");
}

static void move_text(int by_mremap)
{
	uintptr_t start, end;
	void *copy;

	// The page of put() and those after it stay.
	find_text(&start, &end);
	end = (uintptr_t)put;
	copy = mmap(NULL, end - start, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (copy == MAP_FAILED)
		fail("mmap");
	memcpy(copy, (const void *)start, end - start);
	if (by_mremap && mprotect(copy, end - start, PROT_READ | PROT_EXEC))
		fail("mprotect");
	put(start, end, copy, by_mremap);
	if (mprotect((void *)start, end - start, PROT_READ | PROT_EXEC))
		fail("mprotect");
}
#else
static void move_text(int by_mremap)
{
	(void)by_mremap;
	fail("not on this machine");
}
#endif

int main(int count, char **arguments)
{
	const char *way = count > 1 ? arguments[1] : "none", *what = count > 2 ? arguments[2] : "";
	void (*crash)(void) = outer;

	begin();
	pause_a_while();
	if (!strcmp(way, "deleted") && unlink(own_path()))
		fail("unlink");
	if (!strcmp(way, "replaced") && rename(what, own_path()))
		fail("rename");
	if (!strcmp(way, "root") && (chroot(what) || chdir("/")))
		fail("chroot");
	if (!strcmp(way, "library")) {
		crash = load(what);
		pause_a_while();
		unlink(what);
	}
	if (!strcmp(way, "memory"))
		crash = load(copy_in_memory(what));
	if (!strcmp(way, "anonymous") || !strcmp(way, "moved"))
		move_text(!strcmp(way, "moved"));
	pause_a_while();
	crash();
	return 0;
}

#endif
