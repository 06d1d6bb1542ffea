// SPDX-License-Identifier: MIT
// The recorder's side of the shm transport: the memfd, and the events that services register in it.
// shm_copy.c copies the rings.
#include "recorder/rings/shm_rings.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "proto/cleanup.h"
#include "proto/clocks.h"
#include "proto/limits.h"
#include "recorder/declared/declarations.h"
#include "recorder/rings/shm_owner.h"
#include "recorder/rings/shm_rings_internal.h"

#define OWNER_OFFSET offsetof(struct frec_shm_header, owner)

// Writes a list into the `room` bytes at `to`, which are zeroes, so that an empty string ends it.
static int write_list(char *to, size_t room, const char *const *list)
{
	size_t used = 0;

	for (; *list; list++) {
		size_t size = strlen(*list) + 1;

		if (size == 1)
			continue; // An empty string would end the list.
		if (!room || size > room - 1 - used)
			return -E2BIG;
		memcpy(to + used, *list, size);
		used += size;
	}
	return 0;
}

// Allocates the memory of as many rings as CPUs are online, so that it is charged to the recorder
// and services cannot run out of it later. Returns 0 or a negative errno.
static int allocate(const struct frec_shm_rings *rings)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	size_t count =
		online > 0 && (size_t)online < rings->count ? (size_t)online : rings->count - 1;

	if (fallocate(rings->fd, 0, (off_t)rings->layout.rings, (off_t)(count * rings->ring_size)))
		return errno == EOPNOTSUPP ? 0 : -errno;
	return 0;
}

static void set_epoch(struct frec_shm_rings *rings)
{
	struct frec_shm_header *header = rings->map;

	__atomic_store_n(&header->epoch, frec__clocks_epoch(), __ATOMIC_RELAXED);
}

static int make(struct frec_shm_rings *rings, uint32_t options, const char *const *selection)
{
	struct frec_shm_header *header;
	int r;

	rings->fd = memfd_create(FREC_SHM_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (rings->fd < 0 || ftruncate(rings->fd, (off_t)rings->layout.size) ||
	    fcntl(rings->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return -errno;
	r = allocate(rings);
	if (r)
		return r;
	rings->map = frec__shm_map_owned(rings->fd, rings->layout.size, rings->layout.table);
	if (!rings->map)
		return -errno;
	if (getrandom(&rings->key, sizeof(rings->key), 0) != sizeof(rings->key))
		return -errno;
	header = rings->map;
	header->options = options;
	header->rings = (uint32_t)rings->count;
	header->ring_size = rings->ring_size;
	header->key = rings->key;
	set_epoch(rings);
	r = write_list(header->selection, sizeof(header->selection), selection);
	if (r)
		return r;
	for (size_t i = 0; i < rings->count; i++) {
		uint64_t first = FREC_SHM_POSITION_FIRST;

		// Not written through the recorder's mapping, because that is read-only here.
		if (pwrite(rings->fd, &first, sizeof(first),
			   (off_t)(rings->layout.controls + i * rings->layout.control_size)) !=
		    sizeof(first))
			return -EIO;
	}
	r = frec__shm_own(rings->map, OWNER_OFFSET);
	if (r)
		return r;
	rings->owned = true;
	header->magic = FREC_SHM_MAGIC;
	return 0;
}

int frec__shm_create(struct frec_shm_rings **ret, size_t ring_size, const char *const *selection,
		     uint32_t options, struct frec_error *reterr)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);

	return frec__shm_create_for(ret, cpus > 0 ? (size_t)cpus : 1, ring_size, selection, options,
				    reterr);
}

static void cleanup_shm(struct frec_shm_rings **rings)
{
	frec__shm_destroy(*rings);
}
#define SHM_DESTROY __attribute__((cleanup(cleanup_shm)))

int frec__shm_create_for(struct frec_shm_rings **ret, size_t cpus, size_t ring_size,
			 const char *const *selection, uint32_t options, struct frec_error *reterr)
{
	SHM_DESTROY struct frec_shm_rings *rings = NULL;
	int r;

	if (ring_size < FREC_SHM_RING_SIZE_MIN || ring_size > FREC_SHM_RING_SIZE_MAX ||
	    ring_size & (ring_size - 1))
		return frec__error(reterr, -EINVAL,
				   "no shared ring of %zu bytes: the size must be a power of two",
				   ring_size);
	rings = calloc(1, sizeof(*rings));
	if (!rings)
		return frec__error(reterr, -ENOMEM, "shared rings: out of memory");
	rings->fd = -1;
	rings->ring_size = ring_size;
	rings->count = (cpus < FREC_SHM_RINGS_MAX ? cpus : FREC_SHM_RINGS_MAX - 1) + 1;
	rings->layout = frec__shm_layout(rings->count, ring_size);
	r = make(rings, options, selection);
	if (r == -E2BIG)
		return frec__error(reterr, r,
				   "shared rings: the selected events take more than %d characters",
				   FREC_SHM_SELECTION_SIZE);
	if (r)
		// All rings are in one file and in one mapping.
		return frec__limit_error(
			reterr, r, r == -EMFILE ? 0 : rings->layout.size,
			"no shared rings of %zu KiB per CPU: use a smaller --ring-size",
			ring_size >> 10);
	*ret = FREC_TAKE_PTR(rings);
	return 0;
}

// Frees the pages, which otherwise live as long as any service maps them or has the memfd open.
// Services cannot unmap them at their next event, because a seccomp filter may forbid them the
// system call. A service that is in the middle of an emit writes to a new page, which does no harm.
static void empty(const struct frec_shm_rings *rings)
{
	(void)fallocate(rings->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			(off_t)rings->layout.table,
			(off_t)(rings->layout.size - rings->layout.table));
}

void frec__shm_destroy(struct frec_shm_rings *rings)
{
	if (!rings)
		return;
	if (rings->owned) {
		frec__shm_disown(rings->map, OWNER_OFFSET);
		empty(rings);
	}
	frec__shm_unmap_owned(rings->map, rings->layout.size);
	if (rings->fd >= 0)
		close(rings->fd);
	for (size_t i = 0; i < rings->events; i++) {
		free(rings->event[i].provider);
		free(rings->event[i].name);
		free((void *)(uintptr_t)rings->event[i].declaration);
	}
	free(rings);
}

void frec__shm_set_clock(struct frec_shm_rings *rings, enum frec_clock_way way)
{
	struct frec_shm_header *header = rings->map;
	uint32_t options = __atomic_load_n(&header->options, __ATOMIC_RELAXED) & ~FREC_SHM_COUNTER;

	if (way == FREC_CLOCK_COARSE)
		options |= FREC_SHM_COARSE;
	else if (way == FREC_CLOCK_COUNTER)
		options |= FREC_SHM_COUNTER;
	if (options != __atomic_load_n(&header->options, __ATOMIC_RELAXED))
		__atomic_store_n(&header->options, options, __ATOMIC_RELAXED);
}

int frec__shm_ask_stacks(struct frec_shm_rings *rings, const char *const *stacks,
			 struct frec_error *reterr)
{
	struct frec_shm_header *header = rings->map;
	char *to = header->selection, *end = to + sizeof(header->selection);

	// After the list of events, which frec__shm_create() has written.
	while (*to)
		to += strlen(to) + 1;
	to++;
	return write_list(to, (size_t)(end - to), stacks)
		       ? frec__error(reterr, -E2BIG,
				     "shared rings: the events that are selected with stacks take "
				     "more than %d characters",
				     FREC_SHM_SELECTION_SIZE)
		       : 0;
}

void frec__shm_keep_stacks(struct frec_shm_rings *rings, size_t event)
{
	rings->chains[rings->event[event].id - FREC_SHM_ID_FIRST] = true;
}

int frec__shm_fd(const struct frec_shm_rings *rings)
{
	return rings->fd;
}

size_t frec__shm_ring_count(const struct frec_shm_rings *rings)
{
	return rings->count;
}

// Adds the event of a slot. Parses a copy of its declaration, because services can change the
// original at any time. Returns 0, -ENOMEM, or -EBADMSG if the copy does not declare exactly one
// event.
static int add_event(struct frec_shm_rings *rings, const struct frec_shm_table *table,
		     uint32_t slot)
{
	uint32_t offset = __atomic_load_n(&table->slot[slot].offset, __ATOMIC_RELAXED);
	uint32_t size = __atomic_load_n(&table->slot[slot].size, __ATOMIC_RELAXED);
	struct frec_shm_event *event = &rings->event[rings->events];
	FREC_DECLARATIONS struct frec_declarations parsed = {0};
	FREC_FREE uint8_t *bytes = NULL;
	int r;

	if (size > FREC_SHM_DECLARATION_MAX || offset > FREC_SHM_DECLARATIONS_SIZE - size ||
	    size > FREC_SHM_DECLARATIONS_SIZE - rings->declarations_size)
		return -EBADMSG;
	bytes = malloc(size + 1);
	if (!bytes)
		return -ENOMEM;
	memcpy(bytes, table->declarations + offset, size);
	r = frec__declarations_read(&parsed, bytes, size);
	if (r)
		return r;
	if (parsed.count != 1)
		return -EBADMSG;
	*event = (struct frec_shm_event){
		.provider = FREC_TAKE_PTR(parsed.event[0].provider),
		.name = FREC_TAKE_PTR(parsed.event[0].name),
		.declaration = FREC_TAKE_PTR(bytes),
		.declaration_size = size,
		.id = FREC_SHM_ID(slot),
		.pid = (pid_t)__atomic_load_n(&table->slot[slot].pid, __ATOMIC_RELAXED),
	};
	rings->declarations_size += size;
	rings->events++;
	return 0;
}

size_t frec__shm_refresh(struct frec_shm_rings *rings)
{
	const struct frec_shm_table *table = (void *)((char *)rings->map + rings->layout.table);

	set_epoch(rings);
	// Services claim the slots in order, so none after the first free one is in use.
	for (uint32_t slot = 0; slot < FREC_SHM_EVENTS; slot++) {
		// Pairs with the release store in find_slot of shm_attach.c.
		uint32_t state = __atomic_load_n(&table->slot[slot].state, __ATOMIC_ACQUIRE);
		int r;

		if (state == FREC_SHM_FREE)
			break;
		if (state != FREC_SHM_READY || rings->known[slot] != FREC_SHM_UNSEEN)
			continue;
		r = add_event(rings, table, slot);
		if (r != -ENOMEM)
			rings->known[slot] = r ? FREC_SHM_REFUSED : FREC_SHM_KNOWN;
	}
	return rings->events;
}

bool frec__shm_next_birth(struct frec_shm_rings *rings, struct frec_shm_birth *ret)
{
	const struct frec_shm_table *table = (void *)((char *)rings->map + rings->layout.table);
	uint32_t forks = __atomic_load_n(&table->forks, __ATOMIC_RELAXED);

	// Entries that were overwritten are lost. So is an entry that is still not filled in when
	// half a ring of younger ones has been claimed.
	if (forks - rings->forks_seen > FREC_SHM_FORKS)
		rings->forks_seen = forks - FREC_SHM_FORKS / 2;
	for (; rings->forks_seen != forks; rings->forks_seen++) {
		uint64_t entry = __atomic_load_n(&table->forked[rings->forks_seen % FREC_SHM_FORKS],
						 __ATOMIC_RELAXED);

		if (entry == frec__shm_birth(rings->forks_seen, (uint32_t)entry)) {
			rings->forks_seen++;
			*ret = (struct frec_shm_birth){.pid = (uint32_t)entry & ~FREC_SHM_ENDS,
						       .ends = (uint32_t)entry & FREC_SHM_ENDS};
			return true;
		}
		if (forks - rings->forks_seen <= FREC_SHM_FORKS / 2)
			return false; // the entry is being filled in
	}
	return false;
}

const struct frec_shm_event *frec__shm_event(const struct frec_shm_rings *rings, size_t event)
{
	return &rings->event[event];
}

uint64_t frec__shm_emitted(const struct frec_shm_rings *rings, size_t event, size_t ring)
{
	const struct frec_shm_control *control = frec__shm_control(rings, ring);
	size_t slot = (size_t)(rings->event[event].id - FREC_SHM_ID_FIRST);

	// These loads pair with the stores in shm_emit.c, which count an event after its record is
	// complete.
	return __atomic_load_n(&control->emitted[slot], __ATOMIC_ACQUIRE) +
	       __atomic_load_n(&control->moved[slot], __ATOMIC_ACQUIRE);
}
