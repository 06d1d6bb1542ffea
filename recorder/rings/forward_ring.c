// SPDX-License-Identifier: MIT
// Maps forward rings and copies records out of them.
#include "recorder/rings/forward_ring.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

// The mapping is writable, so that the kernel does not overwrite what this process has not read.
int frec__forward_ring_map(struct frec_forward_ring *ring, int fd, size_t size)
{
	void *map = mmap(NULL, page_size() + size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	*ring = (struct frec_forward_ring){0};
	if (map == MAP_FAILED)
		return -errno;
	*ring = (struct frec_forward_ring){.map = map, .size = size};
	return 0;
}

void frec__forward_ring_unmap(struct frec_forward_ring *ring)
{
	if (ring->map)
		munmap(ring->map, page_size() + ring->size);
	ring->map = NULL;
}

struct frec_forward_reader frec__forward_begin(const struct frec_forward_ring *ring)
{
	const struct perf_event_mmap_page *page = ring->map;

	// The acquire load pairs with the kernel's perf_output_put_handle().
	return (struct frec_forward_reader){
		.ring = ring,
		.head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE),
		.tail = page->data_tail};
}

static const uint8_t *data_of(const struct frec_forward_ring *ring)
{
	return (const uint8_t *)ring->map + page_size();
}

size_t frec__forward_size(const struct frec_forward_reader *reader)
{
	struct perf_event_header header;
	uint64_t left = reader->head - reader->tail;

	if (left < sizeof(header))
		return 0;
	// Records are 8-byte aligned, so the end of the ring never splits a header.
	memcpy(&header, data_of(reader->ring) + (reader->tail & (reader->ring->size - 1)),
	       sizeof(header));
	return header.size < sizeof(header) || header.size > left ? 0 : header.size;
}

void frec__forward_copy(const struct frec_forward_reader *reader, void *ret)
{
	const uint8_t *data = data_of(reader->ring);
	size_t at = reader->tail & (reader->ring->size - 1), size = frec__forward_size(reader);
	size_t first = reader->ring->size - at < size ? reader->ring->size - at : size;

	memcpy(ret, data + at, first);
	memcpy((uint8_t *)ret + first, data, size - first);
}

void frec__forward_end(const struct frec_forward_reader *reader)
{
	struct perf_event_mmap_page *page = reader->ring->map;

	// The kernel may overwrite the space only after the loads above.
	__atomic_store_n(&page->data_tail, reader->tail, __ATOMIC_RELEASE);
}
