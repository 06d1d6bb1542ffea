// SPDX-License-Identifier: MIT
// Rings that services write. shm_copy.c makes the copies; this file makes the ids in a copy unique
// and translates its pids.
#include "recorder/rings/shm_ring.h"

#include "recorder/rings/perf.h"
#include "recorder/rings/pid_space.h"
#include "recorder/rings/shm_copy.h"
#include "recorder/rings/shm_rings.h"

// Ids within one shared memory have fewer bits than this, and are above all ids of the kernel. The
// number of the memory is put into the bits above them.
#define NUMBER_SHIFT 40

uint64_t frec__shm_ring_id(uint32_t number, uint64_t id)
{
	return id + ((uint64_t)number << NUMBER_SHIFT);
}

// Nothing to do: frec__shm_destroy() frees the memory of all rings.
static void shm_ring_close(struct frec_ring *ring)
{
	(void)ring;
}

static uint64_t shm_ring_written(const struct frec_ring *ring)
{
	return frec__shm_written(ring->shm, ring->index);
}

static void shm_ring_copy(const struct frec_ring *ring, struct frec_ring_copy *copy)
{
	frec__shm_copy(ring->shm, ring->index, copy);
}

static void shm_ring_copy_finish(const struct frec_ring *ring, struct frec_ring_copy *copy,
				 bool settled, size_t largest)
{
	struct frec_shm_damage damage;

	(void)settled;
	(void)largest;
	frec__shm_copy_finish(ring->shm, copy, &damage);
	copy->damaged = damage.regions;
	// Every shared memory uses the same ids, and its pids can be those of another namespace,
	// so both are replaced.
	for (size_t at = 0; at < copy->valid;) {
		struct frec_sample *sample = (void *)(copy->data + at);

		sample->id = frec__shm_ring_id(ring->number, sample->id);
		if (ring->space) {
			sample->pid = frec__pid_space_outside(ring->space, sample->pid);
			sample->tid = frec__pid_space_outside(ring->space, sample->tid);
		}
		at += sample->header.size;
	}
}

static const struct frec_ring_type shm_ring_type = {
	.close = shm_ring_close,
	.written = shm_ring_written,
	.copy = shm_ring_copy,
	.copy_finish = shm_ring_copy_finish,
};

void frec__shm_ring_init(struct frec_ring *ring, const struct frec_shm_rings *shm, size_t index,
			 size_t size, uint32_t number)
{
	// The last ring is for threads that cannot write to the ring of a CPU.
	*ring = (struct frec_ring){.type = &shm_ring_type,
				   .cpu = index + 1 < frec__shm_ring_count(shm) ? (int)index
										: FREC_CPU_ANY,
				   .shm = shm,
				   .index = index,
				   .number = number,
				   .size = size};
}
