// SPDX-License-Identifier: MIT
// Registering events with the kernel and with a recorder's memory when an executable or library is
// loaded and when frec_register() is called, and unregistering them when it is unloaded.
//
// A registration belongs to the address space, so fork(2) duplicates it and execve(2) ends it. The
// index that a write begins with belongs to the open file. If that file was closed, every event is
// unregistered and registered again, because the kernel refuses the address of an enable word that
// it already has.
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "recorder/service/data_file.h"
#include "recorder/service/emit.h"
#include "recorder/service/registration.h"
#include "recorder/service/shm_attach.h"
#include "recorder/service/shm_clock.h"
#include "recorder/service/shm_identity.h"
#include "recorder/service/shm_inherit.h"
#include "recorder/service/shm_stack.h"

// Guards the variables below, and `registered` of every event.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct frec__object *objects;
static void (*log_function)(void *ctx, const char *message);
static void *log_ctx;
static bool exiting;

static void lock_before_fork(void)
{
	pthread_mutex_lock(&lock);
}

static void unlock_after_fork(void)
{
	pthread_mutex_unlock(&lock);
}

static void unlock_in_child(void)
{
	frec__shm_identity_forked();
	frec__shm_clock_forked();
	frec__shm_stack_forked();
	pthread_mutex_unlock(&lock);
	frec__shm_announce_birth();
}

// Without these handlers, a child that is forked while another thread holds the lock could never
// take the lock. The handler in the child also tells the recorder that the child was born.
__attribute__((constructor(101))) static void follow_forks(void)
{
	pthread_atfork(lock_before_fork, unlock_after_fork, unlock_in_child);
}

// Runs before the constructors of programs that use the shared library, so that the events of these
// programs are on from the beginning.
__attribute__((constructor(102))) static void inherit_memory(void)
{
	int fd = frec__shm_inherited(), saved_errno = errno;

	if (fd >= 0)
		(void)frec__shm_attach(fd);
	errno = saved_errno;
}

__attribute__((format(printf, 1, 2))) static void log_line(const char *format, ...)
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

static void unregister_event(struct frec__event *event)
{
	if (!event->registered)
		return;
	frec__data_file_unregister(frec__fd, &event->enabled, FREC__USER_EVENTS_BIT);
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

static int register_event(struct frec__event *event)
{
	uint32_t index;
	int r;

	if (event->registered)
		return 0;
	r = frec__data_file_register(frec__fd, event->declaration, &event->enabled,
				     FREC__USER_EVENTS_BIT, &index);
	errno = -r;
	if (r == -EADDRINUSE)
		log_line("%s is not recorded: it exists with other fields, and this kernel allows "
			 "one layout for each name",
			 event->name);
	else if (r)
		log_line("%s is not recorded: the kernel refused \"%s\": %m", event->name,
			 event->declaration);
	if (r)
		return r;
	// Pairs with the acquire load in write_once() of emit.c.
	__atomic_store_n(&event->write_index, index, __ATOMIC_RELEASE);
	event->registered = 1;
	__atomic_fetch_add(&frec__counts.registered, 1, __ATOMIC_RELAXED);
	return 0;
}

static int register_all(void)
{
	int first = 0;

	for (struct frec__object *object = objects; object; object = object->next)
		for (struct frec__event **event = object->events; event != object->end; event++) {
			int r = register_event(*event);

			first = first ? first : r;
		}
	return first;
}

// Makes `fd` the descriptor that emits use, and invalidates every index. A thread that emits at the
// same time may have loaded the old descriptor, and use it with an old or a new index. The new
// descriptor must therefore have another number than the old one. Otherwise an old index could
// select another event in the new file. The old number is not closed: it is closed already, or
// belongs to another file.
static void replace_fd(int fd)
{
	__atomic_store_n(&frec__fd, -1, __ATOMIC_RELAXED);
	for (struct frec__object *object = objects; object; object = object->next)
		for (struct frec__event **event = object->events; event != object->end; event++) {
			if ((*event)->registered)
				frec__data_file_unregister(fd, &(*event)->enabled,
							   FREC__USER_EVENTS_BIT);
			__atomic_store_n(&(*event)->write_index, FREC__NO_INDEX, __ATOMIC_RELAXED);
			(*event)->registered = 0;
		}
	__atomic_store_n(&frec__counts.registered, 0, __ATOMIC_RELAXED);
	// Pairs with the acquire load in write_once() of emit.c.
	__atomic_store_n(&frec__fd, fd, __ATOMIC_RELEASE);
}

// Opens user_events_data, unless a working descriptor is open.
static int open_data_file(void)
{
	int fd;

	if (frec__data_file_is_ours(frec__fd))
		return 0;
	fd = frec__data_file_open();
	if (fd < 0) {
		errno = -fd;
		log_line("events are not recorded: cannot open user_events_data in tracefs: %m");
		return fd;
	}
	replace_fd(fd);
	return 0;
}

// Updates what emits rely on but must not update themselves, because that takes system calls.
static void refresh(void)
{
	frec__shm_identity_refresh();
	frec__shm_clock_check();
	frec__shm_release();
}

int frec_register(void)
{
	int r;

	pthread_mutex_lock(&lock);
	refresh();
	r = open_data_file();
	if (!r)
		r = register_all();
	pthread_mutex_unlock(&lock);
	return r;
}

int frec_register_fd(int fd)
{
	int copy, r = frec__data_file_check(fd);

	if (r)
		return r;
	pthread_mutex_lock(&lock);
	refresh();
	if (!frec__data_file_is_ours(frec__fd)) {
		copy = frec__data_file_duplicate(fd);
		if (copy >= 0)
			replace_fd(copy);
		else
			r = copy;
	}
	if (!r)
		r = register_all();
	pthread_mutex_unlock(&lock);
	return r;
}

void frec__shm_detached(void)
{
	pthread_mutex_lock(&lock);
	frec__shm_release();
	pthread_mutex_unlock(&lock);
}

// Turns on the events of an object that a recorder's memory is for.
static void register_with_memory(struct frec__object *object)
{
	int r = frec__shm_register(object);

	if (r == -ENOENT)
		log_line("events come without the stacks that the recorder wants (stack=self): "
			 "there is no libunwind.so.8: install libunwind8");
	else if (r)
		log_line("events come without the stacks that the recorder wants (stack=self): "
			 "signal handlers cannot be told from other code with this C library");
}

int frec__shm_attach(int fd)
{
	int r;

	pthread_mutex_lock(&lock);
	r = frec__shm_map(fd);
	for (struct frec__object *object = objects; object && !r; object = object->next)
		register_with_memory(object);
	pthread_mutex_unlock(&lock);
	return r;
}

void frec_set_log(void (*log)(void *ctx, const char *message), void *ctx)
{
	pthread_mutex_lock(&lock);
	log_function = log;
	log_ctx = ctx;
	pthread_mutex_unlock(&lock);
}

void frec__log(const char *message)
{
	pthread_mutex_lock(&lock);
	log_line("%s", message);
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
		__atomic_fetch_add(&frec__counts.events, (uint64_t)(end - events),
				   __ATOMIC_RELAXED);
		register_with_memory(object);
		if (open_data_file() == 0)
			register_all();
	}
	pthread_mutex_unlock(&lock);
	errno = saved_errno;
}

// For dl_iterate_phdr(3), which visits the program first: returns 1 if `address` is in it, else -1.
// Both values end the iteration.
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

// A program is never unloaded: if its own destructor runs, the process exits. In that case this
// function does nothing, so that threads and libraries that still run are recorded to the end, and
// a program under seccomp makes no ioctl(2) on its way out. (The program's destructors run before
// those of its libraries.)
//
// Otherwise it unregisters the object's events. With the last object it also closes the descriptor,
// because a static copy of the library may be about to be unloaded together with that object.
void frec__object_unregister(struct frec__object *object)
{
	struct frec__object **link = &objects;
	// Call this before taking our lock, so that no thread holds our lock while it waits for the
	// loader's lock.
	bool is_program = dl_iterate_phdr(is_in_program, object) == 1;
	int saved_errno = errno;

	pthread_mutex_lock(&lock);
	exiting = exiting || is_program;
	if (exiting) {
		pthread_mutex_unlock(&lock);
		errno = saved_errno;
		return;
	}
	while (*link && *link != object)
		link = &(*link)->next;
	if (*link && has_registered(object) && open_data_file() == 0)
		for (struct frec__event **event = object->events; event != object->end; event++)
			unregister_event(*event);
	if (*link) {
		frec__shm_unregister(object);
		*link = object->next;
		__atomic_fetch_sub(&frec__counts.events, (uint64_t)(object->end - object->events),
				   __ATOMIC_RELAXED);
		object->events = object->end = NULL;
	}
	if (!objects && frec__data_file_is_ours(frec__fd)) {
		close(frec__fd);
		__atomic_store_n(&frec__fd, -1, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&lock);
	errno = saved_errno;
}
