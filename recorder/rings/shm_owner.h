/* SPDX-License-Identifier: MIT */
/*
 * Ownership of a word of shared memory: when the thread that owns it ends, even by SIGKILL, the
 * kernel marks the word.
 *
 * The kernel's list of robust futexes does this. The C library's robust mutexes use it too, but
 * they keep the links of the list within the mutex. Here services could write that mutex, and with
 * control of the links a process can write anywhere in the memory of the owner. The kernel only
 * requires that a link and its word are the same distance apart for all words of a thread. So each
 * link is in a private page directly before the mapping of its word.
 */
#ifndef FREC_RECORDER_RINGS_SHM_OWNER_H
#define FREC_RECORDER_RINGS_SHM_OWNER_H

#include <stddef.h>
#include <stdint.h>

struct frec_shm_owned {
	struct frec_shm_owned *next; /* the kernel reads it */
};

/*
 * Maps `size` bytes of `fd`, the first `writable` of them for reading and writing and the rest for
 * reading only, with the private page in front. On failure returns NULL with errno set.
 */
void *frec__shm_map_owned(int fd, size_t size, size_t writable);
void frec__shm_unmap_owned(void *map, size_t size);

/* Makes the calling thread the owner of the futex at `offset` of such a mapping. All mappings of a
 * thread must use the same offset. Returns 0 or a negative errno. */
int frec__shm_own(void *map, size_t offset);

/* Marks the word as the kernel would, and releases it if the calling thread owns it. */
void frec__shm_disown(void *map, size_t offset);

#endif
