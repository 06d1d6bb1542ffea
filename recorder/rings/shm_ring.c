// SPDX-License-Identifier: MIT
// Rings that services write. shm_copy.c makes the copies; this file makes the ids in a copy unique
// and translates its pids.
#include "recorder/rings/shm_ring.h"

#include "proto/clocks.h"
#include "recorder/rings/perf.h"
#include "recorder/rings/pid_space.h"
#include "recorder/rings/shm_copy.h"
#include "recorder/rings/shm_rings.h"

// Ids within one shared memory have fewer bits than this, and are above all ids of the kernel. The
// number of the memory is put into the bits above them.
#define NUMBER_SHIFT 40

// Services that cannot read the exact clock use the kernel's coarse one (service/shm_clock.h),
// which moves on with each tick. So their times lag behind by up to this many nanoseconds, a tick
// with CONFIG_HZ=100, the lowest rate of all kernels.
#define TICK UINT64_C(10000000)

// Times that services compute (service/shm_line.h) can be wrong by tens of nanoseconds, and, after
// the kernel has changed the rate of its clock, for some milliseconds by hundreds of them. This is
// more than both.
#define COMPUTED UINT64_C(10000)

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

// The last translation, which is kept because records of one thread often follow each other.
struct translated {
	uint32_t space, pid, tid, to_pid, to_tid;
};

// Replaces the pids in a record, and clears the number of the namespace that the service put into
// the upper half of the word with the CPU.
static void translate(const struct frec_ring *ring, struct frec_sample *sample,
		      struct translated *last)
{
	uint32_t space = sample->reserved ? sample->reserved : ring->space;

	sample->reserved = 0;
	if (!ring->spaces)
		return;
	if (last->pid != sample->pid || last->tid != sample->tid || last->space != space) {
		*last = (struct translated){.space = space,
					    .pid = sample->pid,
					    .tid = sample->tid,
					    .to_pid = sample->pid,
					    .to_tid = sample->tid};
		frec__pid_spaces_translate(ring->spaces, space, &last->to_pid, &last->to_tid);
	}
	sample->pid = last->to_pid;
	sample->tid = last->to_tid;
}

// A process that moves itself into a time namespace after it has attached writes times of another
// clock. A record with such a time gets the time of the next record, `newer`, because it was
// written before the next record. So does one in the ring of a CPU whose computed time is a little
// after that of the next record. Returns the time of the record.
static uint64_t check_time(const struct frec_ring *ring, struct frec_ring_copy *copy,
			   struct frec_sample *sample, uint64_t newer, uint64_t now)
{
	if (ring->cpu != FREC_CPU_ANY && sample->time > newer && sample->time - newer < COMPUTED) {
		sample->time = newer;
	} else if (sample->time + TICK < ring->since || sample->time > now) {
		copy->redated++;
		sample->time = newer;
	} else if (sample->time < ring->since) {
		sample->time = ring->since; // no record is older than its ring
	}
	return sample->time;
}

static void shm_ring_copy_finish(const struct frec_ring *ring, struct frec_ring_copy *copy,
				 bool settled, size_t largest)
{
	struct frec_shm_damage damage;
	uint64_t now = frec__monotonic(), newer = now;
	// A pid that is unknown, and in no namespace, is translated into itself.
	struct translated last = {.pid = UINT32_MAX, .to_pid = UINT32_MAX};

	(void)settled;
	(void)largest;
	frec__shm_copy_finish(ring->shm, copy, &damage);
	copy->damaged = damage.regions;
	copy->redated = 0;
	// Every shared memory uses the same ids, and its pids can be those of another namespace,
	// so both are replaced.
	for (size_t at = 0; at < copy->valid;) {
		struct frec_sample *sample = (void *)(copy->data + at);

		sample->id = frec__shm_ring_id(ring->number, sample->id);
		translate(ring, sample, &last);
		newer = check_time(ring, copy, sample, newer, now);
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
