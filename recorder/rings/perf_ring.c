// SPDX-License-Identifier: MIT
// Perf buffers that the kernel writes backwards: ring.h explains why a live copy can be exact.
#include "recorder/rings/perf_ring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proto/limits.h"
#include "recorder/rings/perf.h"

// Task, softirq, interrupt, NMI: each of these contexts can have one record in progress on a CPU.
#define CONTEXT_LEVELS 4

int frec__perf_ring_open(struct frec_ring *ring, int cpu, size_t size, struct frec_error *reterr)
{
	struct perf_event_attr attr;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	*ring = (struct frec_ring){
		.type = &frec__perf_ring_type, .cpu = cpu, .fd = -1, .size = size};
	frec__perf_attr_init(&attr, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_DUMMY);
	attr.write_backward = 1;
	attr.disabled = 0;
	attr.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED;
	ring->fd = frec__perf_open(&attr, cpu, reterr);
	if (ring->fd < 0)
		return ring->fd;
	// Mapped read-only, because with a writable mapping the kernel would drop new records
	// instead of overwriting old ones.
	ring->map = mmap(NULL, page + size, PROT_READ, MAP_SHARED, ring->fd, 0);
	if (ring->map == MAP_FAILED) {
		int error = errno;

		ring->map = NULL;
		frec__ring_close(ring);
		return frec__limit_error(
			reterr, -error, 0,
			"no ring of %zu KiB for CPU %d: use a smaller --ring-size%s", size >> 10,
			cpu, error == EPERM ? ", or raise kernel.perf_event_mlock_kb" : "");
	}
	return 0;
}

static void perf_ring_close(struct frec_ring *ring)
{
	if (ring->map)
		munmap(ring->map, (size_t)sysconf(_SC_PAGESIZE) + ring->size);
	if (ring->fd >= 0)
		close(ring->fd);
	ring->map = NULL;
	ring->fd = -1;
}

bool frec__perf_ring_alive(struct frec_ring *ring)
{
	struct {
		uint64_t value, enabled;
	} reading;
	bool alive;

	if (read(ring->fd, &reading, sizeof(reading)) != sizeof(reading))
		return true; // The time cannot be read: assume that the ring is alive.
	alive = reading.enabled != ring->enabled;
	ring->enabled = reading.enabled;
	return alive;
}

static uint64_t head(const struct frec_ring *ring)
{
	struct perf_event_mmap_page *page = ring->map;

	// Pairs with the write barrier in the kernel's perf_output_put_handle().
	return __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
}

// data_head starts at 0 and only decreases, modulo 2^64. Its negation is therefore the number of
// bytes written so far.
static uint64_t written_at(uint64_t data_head)
{
	return -data_head;
}

static uint64_t perf_ring_written(const struct frec_ring *ring)
{
	return written_at(head(ring));
}

static void perf_ring_copy(const struct frec_ring *ring, struct frec_ring_copy *copy)
{
	const uint8_t *data = (const uint8_t *)ring->map + sysconf(_SC_PAGESIZE);
	size_t start, first;

	copy->head = head(ring);
	copy->written = written_at(copy->head);
	start = copy->head & (ring->size - 1);
	first = ring->size - start;
	if (copy->written < ring->size) {
		// The ring is not full yet: all data lies between data_head and the end of the
		// buffer.
		memcpy(copy->data, data + start, copy->written);
	} else {
		memcpy(copy->data, data + start, first);
		memcpy(copy->data + first, data, start);
	}
	// Orders the loads of the copy before the next load of data_head, which shows what was
	// overwritten in the meantime.
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	copy->during = copy->head - head(ring);
}

static void perf_ring_copy_finish(const struct frec_ring *ring, struct frec_ring_copy *copy,
				  bool settled, size_t largest)
{
	uint64_t in_progress = CONTEXT_LEVELS * largest, lost;

	if (ring->offline)
		in_progress = 0;
	// h1 - h2 bytes were written since the copy. These bytes include every record that was in
	// progress when the copy ended.
	if (settled && copy->head - head(ring) - copy->during < in_progress)
		in_progress = copy->head - head(ring) - copy->during;
	// The oldest bytes of a full ring are directly below h0, where the kernel goes on writing.
	// In the copy they come last, so that is where bytes are lost.
	lost = copy->during + in_progress;
	copy->valid = lost < ring->size ? ring->size - lost : 0;
	if (copy->valid > copy->written)
		copy->valid = copy->written;
	copy->wrapped = copy->valid < copy->written;
}

const struct frec_ring_type frec__perf_ring_type = {
	.close = perf_ring_close,
	.written = perf_ring_written,
	.copy = perf_ring_copy,
	.copy_finish = perf_ring_copy_finish,
};
