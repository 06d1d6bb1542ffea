/* SPDX-License-Identifier: MIT */
/*
 * A ring that the kernel writes forwards, and stops writing when it is full, until this process has
 * read some of it: for records of which none may be overwritten. (The rings of perf_ring.h are
 * written backwards and overwrite their oldest records.) See "MMAP layout" in perf_event_open(2).
 *
 *	struct frec_forward_reader reader = frec__forward_begin(&ring);
 *
 *	while ((size = frec__forward_size(&reader))) {
 *		frec__forward_copy(&reader, record);
 *		...
 *		reader.tail += size;
 *	}
 *	frec__forward_end(&reader);
 */
#ifndef FREC_RECORDER_RINGS_FORWARD_RING_H
#define FREC_RECORDER_RINGS_FORWARD_RING_H

#include <stddef.h>
#include <stdint.h>

struct frec_forward_ring {
	void *map;   /* struct perf_event_mmap_page, then the data; NULL: not mapped */
	size_t size; /* of the data in bytes, a power of two */
};

/* Maps the ring of a perf event. Returns 0 or a negative errno, and then `ring` is not mapped. */
int frec__forward_ring_map(struct frec_forward_ring *ring, int fd, size_t size);
void frec__forward_ring_unmap(struct frec_forward_ring *ring);

struct frec_forward_reader {
	const struct frec_forward_ring *ring;
	uint64_t head, tail; /* where the kernel goes on, and where the next record begins */
};

struct frec_forward_reader frec__forward_begin(const struct frec_forward_ring *ring);

/* Returns the size of the next record, at most 65535 bytes, or 0 if there is none. */
size_t frec__forward_size(const struct frec_forward_reader *reader);

/* Copies the next record, which can lie on both sides of the end of the ring. */
void frec__forward_copy(const struct frec_forward_reader *reader, void *ret);

/* Gives the space of the records before reader->tail back to the kernel. */
void frec__forward_end(const struct frec_forward_reader *reader);

#endif
