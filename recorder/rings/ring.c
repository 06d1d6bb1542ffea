// SPDX-License-Identifier: MIT
// Calls the implementation of a ring's type: perf_ring.c or shm_ring.c.
#include "recorder/rings/ring.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

void frec__ring_close(struct frec_ring *ring)
{
	ring->type->close(ring);
}

uint64_t frec__ring_written(const struct frec_ring *ring)
{
	return ring->type->written(ring);
}

void frec__ring_copy(const struct frec_ring *ring, struct frec_ring_copy *copy)
{
	ring->type->copy(ring, copy);
}

void frec__ring_copy_finish(const struct frec_ring *ring, struct frec_ring_copy *copy, bool settled,
			    size_t largest)
{
	ring->type->copy_finish(ring, copy, settled, largest);
}

bool frec__ring_grace_period(void)
{
	return !syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}
