/* SPDX-License-Identifier: MIT */
/* The parts of writing to shared memory that depend on the architecture: restartable sequences and
 * protection keys. */
#ifndef FREC_RECORDER_SERVICE_SHM_SEQUENCE_H
#define FREC_RECORDER_SERVICE_SHM_SEQUENCE_H

#include <stddef.h>
#include <stdint.h>

/* Set by glibc 2.35 and later: the offset of a thread's rseq area from the thread pointer, and the
 * size of the area, 0 if there is none. */
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));

/* A thread's rseq area, as <linux/rseq.h> defines it. */
struct frec__shm_area {
	/* cpu_id: higher than any CPU's number if the thread is not registered */
	uint32_t cpu_id_start, cpu_id;
	const void *section;
};

#if defined(__x86_64__)
#include "recorder/service/shm_sequence_x86_64.h"
#else
#include "recorder/service/shm_sequence_aarch64.h"
#endif

/* Lets this thread write to the memory that has the protection key `key`, which is not -1. Returns
 * the rights that frec__shm_guard_close() restores. */
uint32_t frec__shm_guard_open(int key);
void frec__shm_guard_close(uint32_t before);

/* The same for a memory that may have no key: then they do nothing. An emit does not use them,
 * because it tests for the key only once. */
static inline uint32_t frec__shm_open(const struct frec__shm *shm)
{
	return shm->guard < 0 ? 0 : frec__shm_guard_open(shm->guard);
}

static inline void frec__shm_close(const struct frec__shm *shm, uint32_t before)
{
	if (shm->guard >= 0)
		frec__shm_guard_close(before);
}

#endif
