/* SPDX-License-Identifier: MIT */
/* No restartable sequences and no guard here yet: threads of this architecture write to the shared ring. */
#include "recorder/shm_emit.h"

struct frec__rseq *frec__shm_area(void)
{
	return NULL;
}

uint32_t frec__shm_begin(struct frec__rseq *area)
{
	(void)area;
	return UINT32_MAX;
}

void frec__shm_end(struct frec__rseq *area)
{
	(void)area;
}

enum frec__shm_commit frec__shm_commit(struct frec__rseq *area, const struct frec__shm_write *write)
{
	(void)area;
	(void)write;
	return FREC__SHM_ABORTED;
}

uint32_t frec__shm_guard_open(int key)
{
	(void)key;
	return 0;
}

void frec__shm_guard_close(int key, uint32_t before)
{
	(void)key;
	(void)before;
}
