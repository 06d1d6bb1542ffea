/* SPDX-License-Identifier: MIT */
/* Restartable sequences are not implemented on aarch64: threads write to the shared ring. */
#ifndef FREC_RECORDER_SERVICE_SHM_SEQUENCE_AARCH64_H
#define FREC_RECORDER_SERVICE_SHM_SEQUENCE_AARCH64_H

#include "recorder/service/shm_emit.h"

static inline bool frec__shm_has_sequences(void)
{
	return false;
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
