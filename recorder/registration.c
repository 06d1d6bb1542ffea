/* SPDX-License-Identifier: MIT */
/*
 * Registering events with the kernel, when an executable or library is loaded and when frec_register() is called, and
 * unregistering them when it is unloaded.
 *
 * A registration belongs to the address space, so that fork(2) duplicates it and execve(2) ends it; the index to write
 * with belongs to the open file. When the file is gone everything is registered anew, first unregistered, because the
 * kernel refuses an address that it already has.
 */
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recorder/emit.h"
#include "recorder/tracefs.h"
#include "recorder/user_events.h"

#define DATA_FILE "user_events_data"
/* Programs that reuse numbers reuse low ones; and to close all up to this limit is what a careful one does anyway. */
#define USUAL_FD_LIMIT 1024
#define FDS_BELOW_LIMIT 32

/* Guards all that follows, and `registered` of every event. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct frec__object *objects;
static void (*log_function)(void *ctx, const char *message);
static void *log_ctx;
/* What frec__fd was opened on, and its number last time: a number is not used twice in a row (see replace_fd). */
static dev_t data_device;
static ino_t data_inode;
static int last_fd = -1;
static bool exiting;

static void lock_before_fork(void)
{
	pthread_mutex_lock(&lock);
}

static void unlock_after_fork(void)
{
	pthread_mutex_unlock(&lock);
}

/* Else a child that was forked while another thread registers could never register again. */
__attribute__((constructor(101))) static void follow_forks(void)
{
	pthread_atfork(lock_before_fork, unlock_after_fork, unlock_after_fork);
}

__attribute__((format(printf, 1, 2))) static void tell(const char *format, ...)
{
	char message[512];
	va_list arguments;

	if (!log_function)
		return;
	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	log_function(log_ctx, message);
}

static int unregister_address(int fd, const void *address)
{
	struct user_unreg request = {
		.size = sizeof(request),
		.disable_bit = FREC__USER_EVENTS_BIT,
		.disable_addr = (uintptr_t)address,
	};

	return ioctl(fd, DIAG_IOCSUNREG, &request) ? -errno : 0;
}

static void unregister_event(struct frec__event *event)
{
	if (!event->registered)
		return;
	unregister_address(frec__fd, &event->enabled);
	__atomic_store_n(&event->write_index, FREC__NO_INDEX, __ATOMIC_RELAXED);
	event->registered = 0;
	__atomic_fetch_sub(&frec__counts.registered, 1, __ATOMIC_RELAXED);
}

static bool has_registered(const struct frec__object *object)
{
	for (struct frec__event **event = object->events; event != object->end; event++)
		if ((*event)->registered)
			return true;
	return false;
}

static int request_registration(struct frec__event *event, unsigned int flags)
{
	struct user_reg request = {
		.size = sizeof(request),
		.enable_bit = FREC__USER_EVENTS_BIT,
		.enable_size = sizeof(event->enabled),
		.flags = (uint16_t)flags,
		.enable_addr = (uintptr_t)&event->enabled,
		.name_args = (uintptr_t)event->declaration,
	};

	if (ioctl(frec__fd, DIAG_IOCSREG, &request))
		return -errno;
	/* Pairs with the acquire load in frec__emit. */
	__atomic_store_n(&event->write_index, request.write_index, __ATOMIC_RELEASE);
	return 0;
}

static int register_event(struct frec__event *event)
{
	int result;

	if (event->registered)
		return 0;
	result = request_registration(event, 0);
	if (result == -EADDRINUSE) {
		/* Somebody has the name with other fields. Old kernels do not know the flag and say EINVAL. */
		result = request_registration(event, USER_EVENT_REG_MULTI_FORMAT);
		if (result == -EINVAL)
			result = -EADDRINUSE;
	}
	errno = -result;
	if (result == -EADDRINUSE)
		tell("%s is not recorded: it exists with other fields, and this kernel allows one layout for each name",
		     event->name);
	else if (result)
		tell("%s is not recorded: the kernel refused \"%s\": %m", event->name, event->declaration);
	if (result)
		return result;
	event->registered = 1;
	__atomic_fetch_add(&frec__counts.registered, 1, __ATOMIC_RELAXED);
	return 0;
}

static int register_all(void)
{
	int first = 0;

	for (struct frec__object *object = objects; object; object = object->next)
		for (struct frec__event **event = object->events; event != object->end; event++) {
			int result = register_event(*event);

			first = first ? first : result;
		}
	return first;
}

static bool fd_is_ours(void)
{
	struct stat status;

	return frec__fd >= 0 && fstat(frec__fd, &status) == 0 && status.st_dev == data_device &&
	       status.st_ino == data_inode;
}

/* A duplicate with a high number, or any number where there is no high one. Returns it or a negative errno. */
static int duplicate_high(int fd)
{
	struct rlimit limit;
	int lowest = USUAL_FD_LIMIT, copy = -1;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < USUAL_FD_LIMIT)
		lowest = (int)limit.rlim_cur;
	lowest = lowest > 2 * FDS_BELOW_LIMIT ? lowest - FDS_BELOW_LIMIT : lowest / 2;
	if (last_fd >= lowest)
		copy = fcntl(fd, F_DUPFD_CLOEXEC, last_fd + 1);
	if (copy < 0)
		copy = fcntl(fd, F_DUPFD_CLOEXEC, lowest);
	if (copy < 0)
		copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return copy >= 0 ? copy : -errno;
}

/*
 * Puts a duplicate of `fd` in the place of a descriptor that is gone, or of none, and invalidates every index. A thread
 * that is emitting meanwhile may hold the old descriptor and then find a new index, or hold both of the old ones: so the
 * new descriptor must not have the old number, where the old index could mean another event. The old number is not
 * closed: it is closed already, or somebody else's.
 */
static int replace_fd(int fd)
{
	struct stat status;
	int copy = duplicate_high(fd);

	if (copy < 0)
		return copy;
	if (fstat(copy, &status)) {
		int error = -errno;

		close(copy);
		return error;
	}
	__atomic_store_n(&frec__fd, -1, __ATOMIC_RELAXED);
	for (struct frec__object *object = objects; object; object = object->next)
		for (struct frec__event **event = object->events; event != object->end; event++) {
			if ((*event)->registered)
				unregister_address(copy, &(*event)->enabled);
			__atomic_store_n(&(*event)->write_index, FREC__NO_INDEX, __ATOMIC_RELAXED);
			(*event)->registered = 0;
		}
	__atomic_store_n(&frec__counts.registered, 0, __ATOMIC_RELAXED);
	data_device = status.st_dev;
	data_inode = status.st_ino;
	last_fd = copy;
	/* Pairs with the acquire load in frec__emit. */
	__atomic_store_n(&frec__fd, copy, __ATOMIC_RELEASE);
	return 0;
}

/* Makes sure of a descriptor. */
static int open_data_file(void)
{
	int fd, result;

	if (fd_is_ours())
		return 0;
	fd = frec__tracefs_open(DATA_FILE, O_WRONLY);
	if (fd < 0) {
		errno = -fd;
		tell("events are not recorded: cannot open " DATA_FILE " in tracefs: %m");
		return fd;
	}
	result = replace_fd(fd);
	close(fd);
	return result;
}

int frec_register(void)
{
	int result;

	pthread_mutex_lock(&lock);
	result = open_data_file();
	if (!result)
		result = register_all();
	pthread_mutex_unlock(&lock);
	return result;
}

/* Nothing is registered at this address, so that is what the right kind of file says about it. */
static int check_data_file(int fd)
{
	static const uint32_t nothing;
	int mode = fcntl(fd, F_GETFL);

	if (mode < 0 || (mode & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	return unregister_address(fd, &nothing) == -ENOENT ? 0 : -ENOTTY;
}

int frec_register_fd(int fd)
{
	int result = check_data_file(fd);

	if (result)
		return result;
	pthread_mutex_lock(&lock);
	if (!fd_is_ours())
		result = replace_fd(fd);
	if (!result)
		result = register_all();
	pthread_mutex_unlock(&lock);
	return result;
}

void frec_set_log(void (*log)(void *ctx, const char *message), void *ctx)
{
	pthread_mutex_lock(&lock);
	log_function = log;
	log_ctx = ctx;
	pthread_mutex_unlock(&lock);
}

void frec__object_register(struct frec__object *object, struct frec__event **events,
			   struct frec__event **end)
{
	int saved_errno = errno;

	pthread_mutex_lock(&lock);
	if (object->events == object->end && events != end) {
		object->events = events;
		object->end = end;
		object->next = objects;
		objects = object;
		__atomic_fetch_add(&frec__counts.events, (uint64_t)(end - events), __ATOMIC_RELAXED);
		if (open_data_file() == 0)
			register_all();
	}
	pthread_mutex_unlock(&lock);
	errno = saved_errno;
}

/* Called for the program, which always comes first, and then no more. Says whether `address` is within it. */
static int is_in_program(struct dl_phdr_info *program, size_t size, void *address)
{
	(void)size;
	for (int i = 0; i < program->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &program->dlpi_phdr[i];

		if (segment->p_type == PT_LOAD &&
		    (uintptr_t)address - program->dlpi_addr - segment->p_vaddr < segment->p_memsz)
			return 1;
	}
	return -1;
}

/*
 * A program is never unloaded: its destructors mean that the process exits. Then nothing is undone, so that threads and
 * libraries which still run are heard to the end, and a program under seccomp meets no ioctl(2) on its way out. (The
 * program's destructors run before those of its libraries.)
 *
 * Closes the descriptor after the last object: a static copy of the library may be about to be unloaded with it.
 */
void frec__object_unregister(struct frec__object *object)
{
	struct frec__object **link = &objects;
	int saved_errno = errno;

	pthread_mutex_lock(&lock);
	exiting = exiting || dl_iterate_phdr(is_in_program, object) == 1;
	if (exiting) {
		pthread_mutex_unlock(&lock);
		return;
	}
	while (*link && *link != object)
		link = &(*link)->next;
	if (*link && has_registered(object) && open_data_file() == 0)
		for (struct frec__event **event = object->events; event != object->end; event++)
			unregister_event(*event);
	if (*link) {
		*link = object->next;
		__atomic_fetch_sub(&frec__counts.events, (uint64_t)(object->end - object->events),
				   __ATOMIC_RELAXED);
		object->events = object->end = NULL;
	}
	if (!objects && fd_is_ours()) {
		close(frec__fd);
		__atomic_store_n(&frec__fd, -1, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&lock);
	errno = saved_errno;
}
