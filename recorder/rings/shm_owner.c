// SPDX-License-Identifier: MIT
// Words of shared memory that the kernel marks when their owner ends: see shm_owner.h.
#include "recorder/rings/shm_owner.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// The kernel's struct robust_list_head, but with the type that links have here.
struct owner {
	struct frec_shm_owned *first; // circular: the last link points to this struct
	long offset;		      // distance from a link to its word
	struct frec_shm_owned *pending;
};

_Static_assert(sizeof(struct owner) == sizeof(struct robust_list_head), "the kernel's list");

static __thread struct owner owner;

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static struct frec_shm_owned *link_of(void *map)
{
	return (void *)((char *)map - page_size());
}

static struct frec_shm_owned *end_of_list(void)
{
	return (struct frec_shm_owned *)&owner;
}

void *frec__shm_map_owned(int fd, size_t size, size_t writable)
{
	size_t page = page_size();
	char *room = mmap(NULL, page + size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	int error;

	if (room == MAP_FAILED)
		return NULL;
	if (mmap(room + page, writable, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) !=
		    MAP_FAILED &&
	    mmap(room + page + writable, size - writable, PROT_READ, MAP_SHARED | MAP_FIXED, fd,
		 (off_t)writable) != MAP_FAILED)
		return room + page;
	error = errno;
	munmap(room, page + size);
	errno = error;
	return NULL;
}

void frec__shm_unmap_owned(void *map, size_t size)
{
	if (map)
		munmap((char *)map - page_size(), page_size() + size);
}

int frec__shm_own(void *map, size_t offset)
{
	uint32_t *word = (void *)((char *)map + offset);
	struct frec_shm_owned *link = link_of(map);
	bool empty = !owner.first || owner.first == end_of_list();

	if (empty) {
		owner = (struct owner){.first = end_of_list(),
				       .offset = (long)(page_size() + offset)};
		if (syscall(SYS_set_robust_list, &owner, sizeof(owner)))
			return -errno;
	}
	__atomic_store_n(word, (uint32_t)gettid(), __ATOMIC_RELAXED);
	link->next = owner.first;
	// This thread can be killed at any instruction, and then the kernel reads the list. So the
	// list must be valid at any time.
	__atomic_store_n(&owner.first, link, __ATOMIC_RELEASE);
	return 0;
}

void frec__shm_disown(void *map, size_t offset)
{
	struct frec_shm_owned *link = link_of(map), **at = &owner.first;

	__atomic_fetch_or((uint32_t *)(void *)((char *)map + offset), FUTEX_OWNER_DIED,
			  __ATOMIC_SEQ_CST);
	while (*at && *at != end_of_list() && *at != link)
		at = &(*at)->next;
	if (*at == link)
		__atomic_store_n(at, link->next, __ATOMIC_RELEASE);
}
