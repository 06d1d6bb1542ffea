/* SPDX-License-Identifier: MIT */
/*
 * Ownership of a word of shared memory: when the thread that owns the word ends, even by SIGKILL,
 * the kernel marks the word.
 *
 * The kernel does this for words in a thread's list of robust futexes. The C library's robust
 * mutexes use the list too, but they keep its links within the mutex. Services could overwrite a
 * mutex in this memory, and whoever controls the links can make the owner write anywhere in its own
 * memory. The kernel only requires that the distance between a link and its word is the same for
 * all words of a thread. So each link is in a private page directly before the mapping of its word.
 */
#ifndef FREC_RECORDER_RINGS_SHM_OWNER_H
#define FREC_RECORDER_RINGS_SHM_OWNER_H

#include <stddef.h>
#include <stdint.h>

struct frec_shm_owned {
	struct frec_shm_owned *next; /* the kernel reads this link */
};

/*
 * Maps `size` bytes of `fd`, the first `writable` of them for reading and writing and the rest for
 * reading only, and a private page directly before them. Returns the start of the `size` bytes, or
 * NULL with errno set.
 */
void *frec__shm_map_owned(int fd, size_t size, size_t writable);
void frec__shm_unmap_owned(void *map, size_t size);

/* Makes the calling thread the owner of the word at `offset` in a mapping of frec__shm_map_owned().
 * All mappings of a thread must use the same offset. Returns 0 or a negative errno. */
int frec__shm_own(void *map, size_t offset);

/* Marks the word as the kernel does when the owner of the word ends. If the calling thread is the
 * owner, its ownership ends. */
void frec__shm_disown(void *map, size_t offset);

#endif
