// SPDX-License-Identifier: MIT
// Overwrite rings: see ring.h for how a live copy can be exact.
#include "recorder/rings/ring.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "recorder/rings/perf.h"
#include "recorder/rings/pid_space.h"
#include "recorder/rings/shm_rings.h"

// Task, softirq, interrupt, NMI: on each of them one record can be under way on a CPU.
#define CONTEXT_LEVELS 4

int frec__ring_open(struct frec_ring *ring, int cpu, size_t size, struct frec_error *reterr)
{
	struct perf_event_attr attr;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	*ring = (struct frec_ring){.cpu = cpu, .fd = -1, .size = size};
	frec__perf_attr_init(&attr, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_DUMMY);
	attr.write_backward = 1;
	attr.disabled = 0;
	attr.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED;
	ring->fd = frec__perf_open(&attr, cpu, reterr);
	if (ring->fd < 0)
		return ring->fd;
	// Read-only: a writable mapping would have the kernel wait for a reader instead of
	// overwriting.
	ring->map = mmap(NULL, page + size, PROT_READ, MAP_SHARED, ring->fd, 0);
	if (ring->map == MAP_FAILED) {
		int error = errno;

		ring->map = NULL;
		frec__ring_close(ring);
		return frec__error(reterr, -error,
				   "no ring of %zu KiB for CPU %d: %s: use a smaller --ring-size%s",
				   size >> 10, cpu, strerror(error),
				   error == EPERM ? ", or raise kernel.perf_event_mlock_kb" : "");
	}
	return 0;
}

void frec__ring_close(struct frec_ring *ring)
{
	if (ring->map)
		munmap(ring->map, (size_t)sysconf(_SC_PAGESIZE) + ring->size);
	if (ring->fd >= 0)
		close(ring->fd);
	ring->map = NULL;
	ring->fd = -1;
}

static uint64_t head(const struct frec_ring *ring)
{
	struct perf_event_mmap_page *page = ring->map;

	// Pairs with the write barrier in the kernel's perf_output_put_handle().
	return __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
}

bool frec__ring_alive(struct frec_ring *ring)
{
	struct {
		uint64_t value, enabled;
	} reading;
	bool alive;

	if (read(ring->fd, &reading, sizeof(reading)) != sizeof(reading))
		return true; // It cannot be told.
	alive = reading.enabled != ring->enabled;
	ring->enabled = reading.enabled;
	return alive;
}

// Above the ids of one memory, which begin above the kernel's.
#define SHM_NUMBER_SHIFT 40

uint64_t frec__ring_shm_id(uint32_t number, uint64_t id)
{
	return id + ((uint64_t)number << SHM_NUMBER_SHIFT);
}

void frec__ring_of_shm(struct frec_ring *ring, const struct frec_shm_rings *shm, size_t index,
		       size_t size, uint32_t number)
{
	// The last one is for threads that can write into no CPU's.
	*ring = (struct frec_ring){.cpu = index + 1 < frec__shm_ring_count(shm) ? (int)index
										: FREC_CPU_ANY,
				   .shm = shm,
				   .index = index,
				   .number = number,
				   .fd = -1,
				   .size = size};
}

uint64_t frec__ring_written(const struct frec_ring *ring)
{
	return ring->shm ? frec__shm_written(ring->shm, ring->index) : -head(ring);
}

void frec__ring_copy(const struct frec_ring *ring, struct frec_ring_copy *copy)
{
	const uint8_t *data = (const uint8_t *)ring->map + sysconf(_SC_PAGESIZE);
	size_t start, first;

	if (ring->shm) {
		frec__shm_copy(ring->shm, ring->index, copy);
		return;
	}
	copy->head = head(ring);
	copy->written = -copy->head;
	start = copy->head & (ring->size - 1);
	first = ring->size - start;
	if (copy->written < ring->size) {
		// Not full yet: what was written lies between data_head and the end.
		memcpy(copy->data, data + start, copy->written);
	} else {
		memcpy(copy->data, data + start, first);
		memcpy(copy->data + first, data, start);
	}
	// The loads of the copy come before the load of data_head that judges them.
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	copy->during = copy->head - head(ring);
}

static void settle_shm(const struct frec_ring *ring, struct frec_ring_copy *copy)
{
	struct frec_shm_damage damage;

	frec__shm_copy_finish(ring->shm, copy, &damage);
	copy->damaged = damage.regions;
	// Events have the same ids in every memory.
	for (size_t at = 0; at < copy->valid;) {
		struct frec_sample *sample = (void *)(copy->data + at);

		sample->id = frec__ring_shm_id(ring->number, sample->id);
		if (ring->space) {
			sample->pid = frec__pid_space_outside(ring->space, sample->pid);
			sample->tid = frec__pid_space_outside(ring->space, sample->tid);
		}
		at += sample->header.size;
	}
}

void frec__ring_copy_finish(const struct frec_ring *ring, struct frec_ring_copy *copy, bool settled,
			    size_t largest)
{
	uint64_t unseen = CONTEXT_LEVELS * largest;
	uint64_t lost;

	if (ring->shm) {
		settle_shm(ring, copy);
		return;
	}
	if (ring->offline)
		unseen = 0;
	// All that was under way when the copy ended has been finished since, with some more.
	if (settled && copy->head - head(ring) - copy->during < unseen)
		unseen = copy->head - head(ring) - copy->during;
	// Writing went on below h0, which is the far end of what was copied.
	lost = copy->during + unseen;
	copy->valid = lost < ring->size ? ring->size - lost : 0;
	if (copy->valid > copy->written)
		copy->valid = copy->written;
	copy->wrapped = copy->valid < copy->written;
}

bool frec__ring_grace_period(void)
{
	return !syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}
