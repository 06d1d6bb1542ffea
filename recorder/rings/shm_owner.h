/* SPDX-License-Identifier: MIT */
/*
 * Owning a word of shared memory: when the thread that owns it ends, even by SIGKILL, the kernel
 * marks the word.
 *
 * That is what the kernel's list of robust futexes is for. The C library's robust mutexes would do
 * it as well, but they keep the links of that list within the mutex, and here that is memory which
 * others can write: a list whose links a stranger chooses is a way to write anywhere. The kernel
 * only asks that a link and its word are the same distance apart for all words of a thread. So the
 * words are mapped, and each link stands in a private page right before its word's mapping.
 */
#ifndef FREC_RECORDER_RINGS_SHM_OWNER_H
#define FREC_RECORDER_RINGS_SHM_OWNER_H

#include <stddef.h>
#include <stdint.h>

struct frec_shm_owned {
	struct frec_shm_owned *next; /* the kernel follows it */
};

/*
 * Maps `size` bytes of `fd`: its first `writable` bytes for reading and writing, the rest for
 * reading, with the private page in front. Returns NULL with errno set.
 */
void *frec__shm_map_owned(int fd, size_t size, size_t writable);
void frec__shm_unmap_owned(void *map, size_t size);

/* Makes the calling thread the owner of the futex at `offset` of such a mapping, the same for all
 * of a thread. */
int frec__shm_own(void *map, size_t offset);

/* Marks the word as the kernel would and gives it up. By the thread that owns it; another only
 * marks it. */
void frec__shm_disown(void *map, size_t offset);

#endif
