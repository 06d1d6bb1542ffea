// SPDX-License-Identifier: MIT
// Attaching a service to a recorder's shared memory, and registering its events there. The memory
// comes from a recorder, but other services can write to it as well. So everything read from it is
// checked, and nothing in it can make this process wait for long.
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recorder/service/clock_ahead.h"
#include "recorder/service/shm_attach.h"
#include "recorder/service/shm_clock.h"
#include "recorder/service/shm_sequence.h"

#define GENERATIONS 0xfffe // so that no frec__event.shm_slot becomes FREC__NO_INDEX

// How many times to yield to a process that is just registering an event, so that two processes
// that start at the same time share a slot.
#define YIELDS_MAX 100

// The beginning of an entry in section frec_declarations.
struct declaration {
	uint32_t magic, size;
};

static int guard_key = -1;
static bool released; // the recorder of frec__shm is dead, and its pages were given back

static bool is_alive(const struct frec__shm *shm)
{
	return shm && !(__atomic_load_n(&shm->header->owner, __ATOMIC_RELAXED) & FUTEX_OWNER_DIED);
}

// Reads the header into `ret`. Returns 0 or a negative errno. Refuses a memfd that is not sealed:
// if the memfd shrank, a process that has mapped it would die of SIGBUS.
static int read_header(int fd, struct frec_shm_header *ret)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	struct stat status;
	int found = fcntl(fd, F_GET_SEALS);

	if (found < 0 && errno == EBADF)
		return -EBADF;
	if (found < 0 || (found & seals) != seals || fstat(fd, &status) ||
	    pread(fd, ret, sizeof(*ret), 0) != sizeof(*ret) || ret->magic != FREC_SHM_MAGIC ||
	    ret->rings < 2 || ret->rings > FREC_SHM_RINGS_MAX ||
	    ret->ring_size < FREC_SHM_RING_SIZE_MIN || ret->ring_size > FREC_SHM_RING_SIZE_MAX ||
	    ret->ring_size & (ret->ring_size - 1) ||
	    (size_t)status.st_size != frec__shm_layout(ret->rings, ret->ring_size).size)
		return -EPROTO;
	return ret->owner & FUTEX_OWNER_DIED ? -EOWNERDEAD : 0;
}

static int map_at(char *at, size_t size, int protection, int fd, size_t offset)
{
	return mmap(at, size, protection, MAP_SHARED | MAP_FIXED, fd, (off_t)offset) == MAP_FAILED
		       ? -errno
		       : 0;
}

// Maps the sections into the address space reserved at `shm->map`.
static int map_sections(struct frec__shm *shm, int fd, const struct frec_shm_layout *layout)
{
	const int both = PROT_READ | PROT_WRITE;
	char *map = shm->map;
	int r = map_at(map, layout->table, PROT_READ, fd, 0);

	if (!r)
		r = map_at(map + layout->table, layout->rings - layout->table, both, fd,
			   layout->table);
	for (uint32_t i = 0; i <= shm->cpus && !r; i++) {
		size_t size = shm->ring_size, offset = layout->rings + i * size;
		char *ring = frec__shm_ring_of(shm, i);

		r = map_at(ring, size, both, fd, offset);
		if (!r)
			r = map_at(ring + size, size, both, fd, offset);
	}
	return r;
}

// Gives the memory a protection key. Returns the key, or -1 if the processor or the kernel has
// none. The memory then stays unguarded, which is no failure, because a key only guards against
// mistakes. The process keeps its key, so that recorders that come and go do not use up all keys.
static int guard(void *memory, size_t size)
{
	if (guard_key < 0)
		guard_key = pkey_alloc(0, PKEY_DISABLE_ACCESS);
	if (guard_key < 0 || pkey_mprotect(memory, size, PROT_READ | PROT_WRITE, guard_key))
		return -1;
	return guard_key;
}

// Gives back the pages of the memory, apart from those of the header and the table, unless that was
// done already. Otherwise the pages would stay allocated as long as any process maps the memory or
// has its memfd open.
static void empty(const struct frec__shm *shm)
{
	if (released)
		return;
	released = true;
	for (uint32_t i = 0; i <= shm->cpus; i++)
		madvise(frec__shm_ring_of(shm, i), shm->ring_size, MADV_REMOVE);
	madvise(shm->controls, (shm->cpus + 1) * shm->control_size, MADV_REMOVE);
}

// Gives a dead recorder's memory back and unmaps it, but keeps the addresses reserved, because a
// thread that was stopped in the middle of an emit writes there when it goes on.
static void abandon(const struct frec__shm *shm)
{
	if (!shm)
		return;
	empty(shm);
	mmap(shm->map, shm->map_size, PROT_READ | PROT_WRITE,
	     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}

bool frec__shm_is_attached(void)
{
	return is_alive(frec__shm);
}

bool frec__shm_is_mapped(int fd)
{
	struct frec_shm_header header;

	// The key is random, so it identifies the memfd.
	return is_alive(frec__shm) && !read_header(fd, &header) && header.key == frec__shm->key &&
	       header.ring_size == frec__shm->ring_size;
}

// Finds out how far this process's clock is ahead of the kernel's. This is done once, at the time
// of attaching, because a thread that emits makes no system call.
static void find_clock(struct frec__shm *shm, int64_t epoch)
{
	struct frec__clock_ahead ahead;

	shm->ahead = frec__clock_ahead(&ahead) ? frec__clock_measure(epoch, 0) : ahead.monotonic;
}

// Notes which pid namespace this process's pids belong to. The recorder translates the pids.
static void find_space(struct frec__shm *shm)
{
	struct stat status;
	int saved_errno = errno;

	if (!stat("/proc/self/ns/pid", &status))
		shm->space = (uint64_t)status.st_ino << 32;
	errno = saved_errno;
}

void frec__shm_release(void)
{
	if (frec__shm && !is_alive(frec__shm))
		empty(frec__shm);
}

int frec__shm_map(int fd)
{
	struct frec_shm_header header;
	struct frec_shm_layout layout;
	struct frec__shm *shm;
	int r;

	if (is_alive(frec__shm))
		return -EALREADY;
	r = read_header(fd, &header);
	if (!r)
		r = frec__shm_identity_init();
	if (r)
		return r;
	shm = calloc(1, sizeof(*shm));
	if (!shm)
		return -ENOMEM;
	layout = frec__shm_layout(header.rings, header.ring_size);
	shm->map_size = layout.rings + 2 * header.rings * header.ring_size;
	shm->map = mmap(NULL, shm->map_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			-1, 0);
	if (shm->map == MAP_FAILED) {
		r = -errno;
		free(shm);
		return r;
	}
	shm->previous = frec__shm;
	shm->table = (void *)((char *)shm->map + layout.table);
	shm->controls = (char *)shm->map + layout.controls;
	shm->control_size = layout.control_size;
	shm->rings = (char *)shm->map + layout.rings;
	shm->ring_size = header.ring_size;
	shm->cpus = header.rings - 1;
	shm->key = header.key;
	shm->generation = frec__shm ? frec__shm->generation % GENERATIONS + 1 : 1;
	shm->guard = -1;
	shm->sequences = frec__shm_has_sequences();
	find_clock(shm, header.epoch);
	find_space(shm);
	shm->header = shm->map;
	r = map_sections(shm, fd, &layout);
	if (r) {
		munmap(shm->map, shm->map_size);
		free(shm);
		return r;
	}
	// In a core dump the content would only take space, because the recorder has it anyway.
	madvise(shm->map, shm->map_size, MADV_DONTDUMP);
	if (header.options & FREC_SHM_GUARD)
		shm->guard = guard(shm->table, shm->map_size - layout.table);
	frec__shm_identity_refresh();
	frec__shm_clock_check();
	// Pairs with the loads in attached() and turn_off() of shm_emit.c.
	__atomic_store_n(&frec__shm, shm, __ATOMIC_SEQ_CST);
	abandon(shm->previous);
	released = false;
	return 0;
}

// The id of this process if it is a child of fork(2), else 0.
static uint32_t child;

static bool announce(uint32_t what)
{
	struct frec__shm *shm = frec__shm;
	uint32_t before, at;

	if (!is_alive(shm))
		return false;
	before = frec__shm_open(shm);
	at = __atomic_fetch_add(&shm->table->forks, 1, __ATOMIC_RELAXED);
	// The entry says by its number whether it is filled in, so the order of these two changes
	// does not matter.
	__atomic_store_n(&shm->table->forked[at % FREC_SHM_FORKS], frec__shm_birth(at, what),
			 __ATOMIC_RELAXED);
	frec__shm_close(shm, before);
	return true;
}

void frec__shm_announce_birth(void)
{
	if (!frec__shm)
		return;
	// frec__shm_identity_forked() has just set this id.
	child = __atomic_load_n(frec__shm_process, __ATOMIC_RELAXED);
	(void)announce(child);
}

bool frec__shm_announce_end(void)
{
	return child && announce(child | FREC_SHM_ENDS);
}

static bool is_wanted(const struct frec__shm *shm, const char *name)
{
	const char *glob = shm->header->selection;
	const char *end = glob + FREC_SHM_SELECTION_SIZE;

	while (glob < end && *glob) {
		size_t length = strnlen(glob, (size_t)(end - glob));

		if (glob + length == end)
			return false;
		if (!fnmatch(glob, name, 0))
			return true;
		glob += length + 1;
	}
	return false;
}

// Returns FREC_SHM_STACK_... for an event: what the last glob that matches says, in the list that
// follows the one of is_wanted().
static int stack_of(const struct frec__shm *shm, const char *name)
{
	const char *at = shm->header->selection;
	const char *end = at + FREC_SHM_SELECTION_SIZE;
	int how = FREC_SHM_STACK_NONE;

	for (size_t length, lists = 0; lists < 2 && at < end; at += length + 1) {
		length = strnlen(at, (size_t)(end - at));
		if (at + length == end)
			break;
		if (!length)
			lists++;
		else if (lists && !fnmatch(at + 1, name, 0))
			how = *at;
	}
	return how;
}

static bool slot_matches(const struct frec_shm_table *table, uint32_t slot,
			 const struct declaration *declaration)
{
	uint32_t offset = __atomic_load_n(&table->slot[slot].offset, __ATOMIC_RELAXED);

	return __atomic_load_n(&table->slot[slot].size, __ATOMIC_RELAXED) == declaration->size &&
	       offset <= FREC_SHM_DECLARATIONS_SIZE - declaration->size &&
	       !memcmp(table->declarations + offset, declaration, declaration->size);
}

// Reserves `size` bytes for a declaration. Returns their offset, or -ENOSPC.
static int64_t reserve(struct frec_shm_table *table, uint32_t size)
{
	uint32_t used = __atomic_load_n(&table->used, __ATOMIC_RELAXED);

	do {
		if (used > FREC_SHM_DECLARATIONS_SIZE - size)
			return -ENOSPC;
	} while (!__atomic_compare_exchange_n(&table->used, &used, used + size, false,
					      __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return used;
}

static uint32_t state_of(const struct frec_shm_table *table, uint32_t slot)
{
	uint32_t state = __atomic_load_n(&table->slot[slot].state, __ATOMIC_ACQUIRE);

	for (int i = 0; state == FREC_SHM_CLAIMED && i < YIELDS_MAX; i++) {
		sched_yield();
		state = __atomic_load_n(&table->slot[slot].state, __ATOMIC_ACQUIRE);
	}
	return state;
}

// Finds the slot of a declaration, or claims and fills a free slot. Returns the slot's number, or
// -ENOSPC. A slot whose process died between claiming and filling it stays unused.
static int find_slot(struct frec_shm_table *table, const struct declaration *declaration)
{
	for (uint32_t i = 0; i < FREC_SHM_EVENTS; i++) {
		uint32_t state = state_of(table, i);
		int64_t offset;

		if (state == FREC_SHM_FREE &&
		    __atomic_compare_exchange_n(&table->slot[i].state, &state, FREC_SHM_CLAIMED,
						false, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)) {
			offset = reserve(table, declaration->size);
			if (offset < 0) {
				__atomic_store_n(&table->slot[i].state, FREC_SHM_FREE,
						 __ATOMIC_RELEASE);
				return (int)offset;
			}
			memcpy(table->declarations + offset, declaration, declaration->size);
			table->slot[i].pid = (uint32_t)getpid();
			table->slot[i].offset = (uint32_t)offset;
			table->slot[i].size = declaration->size;
			// Pairs with the acquire loads in state_of() and in the recorder.
			__atomic_store_n(&table->slot[i].state, FREC_SHM_READY, __ATOMIC_RELEASE);
			return (int)i;
		}
		if (state != FREC_SHM_READY) // another process claimed the slot first
			state = state_of(table, i);
		if (state == FREC_SHM_READY && slot_matches(table, i, declaration))
			return (int)i;
	}
	return -ENOSPC;
}

// Returns the number of an event's slot, or a negative errno; -ENOENT if the recorder does not want
// the event.
static int slot_of(const struct frec__shm *shm, const struct frec__event *event)
{
	const struct declaration *declaration = event->described;
	uint32_t before;
	int slot;

	if (!is_wanted(shm, event->name))
		return -ENOENT;
	if (declaration->magic != FREC__DECLARATION_MAGIC || declaration->size % 8 ||
	    declaration->size > FREC_SHM_DECLARATION_MAX)
		return -E2BIG;
	before = frec__shm_open(shm);
	slot = find_slot(shm->table, declaration);
	frec__shm_close(shm, before);
	return slot;
}

static void turn_off(struct frec__event *event)
{
	__atomic_fetch_and(&event->enabled, ~(FREC__SHM_MASK | FREC__SHM_STACK_MASK),
			   __ATOMIC_RELAXED);
	__atomic_store_n(&event->shm_slot, FREC__NO_INDEX, __ATOMIC_RELAXED);
}

// Returns what frec__shm_stack_prepare() returns, if the recorder wants call stacks with the event.
static int register_event(const struct frec__shm *shm, struct frec__event *event)
{
	int slot = slot_of(shm, event), how, r = 0;

	if (slot < 0) {
		turn_off(event);
		return 0;
	}
	how = stack_of(shm, event->name);
	if (how == FREC_SHM_STACK_FRAMES || how == FREC_SHM_STACK_SELF)
		r = frec__shm_stack_prepare(how);
	else
		how = 0;
	__atomic_store_n(&event->shm_stack, (uint32_t)how, __ATOMIC_SEQ_CST);
	// An earlier recorder may have wanted stacks.
	__atomic_fetch_and(&event->enabled, ~FREC__SHM_STACK_MASK, __ATOMIC_SEQ_CST);
	__atomic_store_n(&event->shm_slot, shm->generation << 16 | (uint32_t)slot,
			 __ATOMIC_SEQ_CST);
	__atomic_fetch_or(&event->enabled, frec__shm_enabled(event), __ATOMIC_SEQ_CST);
	return r;
}

int frec__shm_register(struct frec__object *object)
{
	int first = 0;

	if (!is_alive(frec__shm))
		return 0;
	for (struct frec__event **event = object->events; event != object->end; event++) {
		int r = register_event(frec__shm, *event);

		first = first ? first : r;
	}
	return first;
}

void frec__shm_unregister(struct frec__object *object)
{
	for (struct frec__event **event = object->events; event != object->end; event++)
		turn_off(*event);
}
