/* SPDX-License-Identifier: MIT */
/* Restartable sequences are not implemented on aarch64: threads write to the shared ring. */
#ifndef FREC_RECORDER_SERVICE_SHM_SEQUENCE_AARCH64_H
#define FREC_RECORDER_SERVICE_SHM_SEQUENCE_AARCH64_H

#include "recorder/service/shm_emit.h"

static inline bool frec__shm_has_sequences(void)
{
	return false;
}

/* The CPU that this thread runs on, or 0 if finding it would take a system call: on aarch64,
 * sched_getcpu(3) makes one unless the C library has registered the thread for restartable
 * sequences. */
static inline uint32_t frec__shm_cpu(void)
{
	const struct frec__shm_area *area;
	uint32_t cpu;

	if (!&__rseq_offset || !&__rseq_size || !__rseq_size)
		return 0;
	area = (const void *)((char *)__builtin_thread_pointer() + __rseq_offset);
	cpu = __atomic_load_n(&area->cpu_id, __ATOMIC_RELAXED);
	return cpu >> 31 ? 0 : cpu; /* negative: not registered */
}

static inline void frec__shm_begin(const struct frec__shm *shm, struct frec__shm_moment *ret)
{
	(void)shm;
	(void)ret;
}

static inline void frec__shm_end(void)
{
}

static inline bool frec__shm_write_own(const struct frec__shm *shm, uint32_t slot,
				       const struct frec__shm_moment *moment,
				       struct frec_shm_record *record, size_t size)
{
	(void)shm;
	(void)slot;
	(void)moment;
	(void)record;
	(void)size;
	return false;
}

#endif
