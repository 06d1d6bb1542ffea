// SPDX-License-Identifier: MIT
/*
 * Preloaded into flightrec: makes one call of a C library function fail, as if memory or the disk
 * had run out at that moment.
 *
 *	FAIL_CALL	malloc (also calloc, realloc, ...), write, open, fsync, rename, or pidfd
 *			(pidfd_open)
 *	FAIL_AT		the number of the call that fails, from 1; 0: none
 *	FAIL_FROM	if set, all calls after that one fail too
 *	FAIL_COUNT	a file of 8 bytes, to which the number of calls is added at the exit
 *	FAIL_PROGRAM	if set, only a process that has this name counts and fails
 *
 * A child that a process forks counts on from its parent, in a count of its own.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

// The tree is compiled with hidden symbols.
#pragma GCC visibility push(default)

enum call {
	MALLOC = 'm',
	WRITE = 'w',
	OPEN = 'o',
	FSYNC = 'f',
	RENAME = 'r',
	PIDFD = 'p',
	NONE = 0
};

static enum call wanted;
static uint64_t at, calls, *total;
static bool all_after;

// dlsym(3) is not used for malloc, because it allocates memory itself.
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static bool fails(enum call call)
{
	uint64_t now;

	if (wanted != call)
		return false;
	now = __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
	if (total)
		__atomic_store_n(total, now, __ATOMIC_RELAXED);
	return at && (now == at || (all_after && now > at));
}

static bool is_ours(void)
{
	const char *program = getenv("FAIL_PROGRAM");

	return !program || !strcmp(program, program_invocation_short_name);
}

__attribute__((constructor)) static void begin(void)
{
	const char *call = getenv("FAIL_CALL"), *number = getenv("FAIL_AT");
	const char *count = getenv("FAIL_COUNT");
	int fd;

	if (!call || !is_ours())
		return;
	fd = count ? open(count, O_RDWR | O_CLOEXEC) : -1;
	if (fd >= 0) {
		void *map = mmap(NULL, sizeof(*total), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

		total = map == MAP_FAILED ? NULL : map;
		close(fd);
	}
	at = number ? strtoull(number, NULL, 10) : 0;
	all_after = getenv("FAIL_FROM");
	wanted = (enum call) * call;
}

void *malloc(size_t size)
{
	if (fails(MALLOC)) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	if (fails(MALLOC)) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	if (fails(MALLOC)) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_realloc(old, size);
}

void *reallocarray(void *old, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(old, bytes);
}

int posix_memalign(void **ret, size_t alignment, size_t size)
{
	void *memory = fails(MALLOC) ? NULL : __libc_memalign(alignment, size);

	if (!memory)
		return ENOMEM;
	*ret = memory;
	return 0;
}

void *aligned_alloc(size_t alignment, size_t size)
{
	void *memory;
	int error = posix_memalign(&memory, alignment, size);

	if (error)
		errno = error;
	return error ? NULL : memory;
}

// Calls the function of the C library with the given name.
#define NEXT(name, type) ((type)dlsym(RTLD_NEXT, name))

static bool disk_is_full(void)
{
	if (!fails(WRITE))
		return false;
	errno = ENOSPC;
	return true;
}

ssize_t write(int fd, const void *data, size_t size)
{
	return disk_is_full()
		       ? -1
		       : NEXT("write", ssize_t(*)(int, const void *, size_t))(fd, data, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
	return disk_is_full() ? -1
			      : NEXT("pwrite", ssize_t(*)(int, const void *, size_t, off_t))(
					fd, data, size, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off_t offset)
{
	return pwrite(fd, data, size, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	return disk_is_full() ? -1
			      : NEXT("writev",
				     ssize_t(*)(int, const struct iovec *, int))(fd, parts, count);
}

size_t fwrite(const void *data, size_t size, size_t count, FILE *stream)
{
	return disk_is_full() ? 0
			      : NEXT("fwrite", size_t(*)(const void *, size_t, size_t, FILE *))(
					data, size, count, stream);
}

static bool no_descriptors(void)
{
	if (!fails(OPEN))
		return false;
	errno = EMFILE;
	return true;
}

static mode_t mode_of(int flags, va_list more)
{
	return flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
	va_list more;
	mode_t mode;

	va_start(more, flags);
	mode = mode_of(flags, more);
	va_end(more);
	return no_descriptors() ? -1
				: NEXT("open", int (*)(const char *, int, ...))(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	va_list more;
	mode_t mode;

	va_start(more, flags);
	mode = mode_of(flags, more);
	va_end(more);
	return open(path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
	va_list more;
	mode_t mode;

	va_start(more, flags);
	mode = mode_of(flags, more);
	va_end(more);
	return no_descriptors() ? -1
				: NEXT("openat", int (*)(int, const char *, int, ...))(folder, path,
										       flags, mode);
}

int openat64(int folder, const char *path, int flags, ...)
{
	va_list more;
	mode_t mode;

	va_start(more, flags);
	mode = mode_of(flags, more);
	va_end(more);
	return openat(folder, path, flags, mode);
}

static bool disk_fails(enum call call)
{
	if (!fails(call))
		return false;
	errno = EIO;
	return true;
}

int fsync(int fd)
{
	return disk_fails(FSYNC) ? -1 : NEXT("fsync", int (*)(int))(fd);
}

int rename(const char *from, const char *to)
{
	return disk_fails(RENAME) ? -1
				  : NEXT("rename", int (*)(const char *, const char *))(from, to);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
	return disk_fails(RENAME) ? -1
				  : NEXT("renameat", int (*)(int, const char *, int, const char *))(
					    from_folder, from, to_folder, to);
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned int flags)
{
	return disk_fails(RENAME) ? -1
				  : NEXT("renameat2", int (*)(int, const char *, int, const char *,
							      unsigned int))(from_folder, from,
									     to_folder, to, flags);
}

long syscall(long number, ...)
{
	long argument[6];
	va_list more;

	va_start(more, number);
	for (int i = 0; i < 6; i++)
		argument[i] = va_arg(more, long);
	va_end(more);
	if (number == SYS_pidfd_open && fails(PIDFD)) {
		errno = EMFILE;
		return -1;
	}
	return NEXT("syscall", long (*)(long, ...))(number, argument[0], argument[1], argument[2],
						    argument[3], argument[4], argument[5]);
}
