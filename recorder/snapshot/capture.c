// SPDX-License-Identifier: MIT
// Takes a capture. capture.h explains the order of the steps.
#include "recorder/snapshot/capture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "proto/cleanup.h"
#include "proto/clocks.h"

static int reserve_counts(struct frec_capture *capture, size_t rings, size_t sources)
{
	FREC_FREE struct frec_count *before = calloc(rings * sources, sizeof(*before));
	FREC_FREE struct frec_count *after = calloc(rings * sources, sizeof(*after));

	if (!before || !after)
		return -ENOMEM;
	free(capture->before);
	free(capture->after);
	capture->before = FREC_TAKE_PTR(before);
	capture->after = FREC_TAKE_PTR(after);
	return 0;
}

int frec__capture_reserve(struct frec_capture *capture, size_t rings, size_t ring_size,
			  size_t sources)
{
	if (!capture->offset) {
		capture->offset =
			calloc(ring_size / FREC_RECORD_SIZE_MIN, sizeof(*capture->offset));
		if (!capture->offset)
			return -ENOMEM;
	}
	if (rings > capture->rings_room) {
		struct frec_ring_copy *grown = reallocarray(capture->copy, rings, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		capture->copy = grown;
		for (size_t i = capture->rings_room; i < rings; i++) {
			void *data = mmap(NULL, ring_size, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

			if (data == MAP_FAILED)
				return -ENOMEM;
			grown[i] = (struct frec_ring_copy){.data = data};
			capture->rings_room = i + 1;
		}
	}
	if (rings * sources > capture->sources_room) {
		// Room for more sources than there are, because sources appear one by one.
		if (reserve_counts(capture, rings, sources + 16))
			return -ENOMEM;
		capture->sources_room = rings * (sources + 16);
	}
	return 0;
}

void frec__capture_shrink(struct frec_capture *capture, size_t rings, size_t ring_size)
{
	while (capture->rings_room > rings)
		munmap(capture->copy[--capture->rings_room].data, ring_size);
}

void frec__capture_deinit(struct frec_capture *capture, size_t ring_size)
{
	frec__capture_shrink(capture, 0, ring_size);
	free(capture->copy);
	free(capture->offset);
	free(capture->before);
	free(capture->after);
	*capture = (struct frec_capture){0};
}

static void count(const struct frec_source *sources, size_t source_count,
		  const struct frec_ring *rings, size_t ring_count, bool begun,
		  struct frec_count *counts)
{
	for (size_t s = 0; s < source_count; s++) {
		for (size_t r = 0; r < ring_count; r++)
			frec__source_count(&sources[s], r, &rings[r], begun,
					   &counts[s * ring_count + r]);
	}
}

static size_t largest_record(const struct frec_source *sources, size_t count)
{
	size_t largest = 0;

	for (size_t i = 0; i < count; i++) {
		if (frec__source_largest(&sources[i]) > largest)
			largest = frec__source_largest(&sources[i]);
	}
	return largest;
}

void frec__capture_peek(struct frec_capture *capture, const struct frec_ring *rings,
			size_t ring_count, const struct frec_source *sources, size_t source_count)
{
	size_t largest = largest_record(sources, source_count);

	if (ring_count > capture->rings_room)
		ring_count = capture->rings_room;
	capture->rings = ring_count;
	for (size_t i = 0; i < ring_count; i++) {
		frec__ring_copy(&rings[i], &capture->copy[i]);
		frec__ring_copy_finish(&rings[i], &capture->copy[i], false, largest);
	}
}

void frec__capture_take(struct frec_capture *capture, const struct frec_ring *rings,
			size_t ring_count, const struct frec_source *sources, size_t source_count)
{
	size_t largest = largest_record(sources, source_count);
	bool of_kernel = false;

	// New rings and sources for which no memory could be reserved are not captured.
	if (ring_count > capture->rings_room)
		ring_count = capture->rings_room;
	if (ring_count && source_count > capture->sources_room / ring_count)
		source_count = capture->sources_room / ring_count;
	for (size_t i = 0; i < ring_count; i++)
		of_kernel |= !rings[i].shm;
	capture->rings = ring_count;
	capture->sources = source_count;
	frec__clocks_read(&capture->clocks);
	capture->complete_until = frec__monotonic();
	count(sources, source_count, rings, ring_count, false, capture->before);
	capture->settled = !of_kernel || frec__ring_grace_period();
	capture->began = frec__monotonic();
	for (size_t i = 0; i < ring_count; i++)
		frec__ring_copy(&rings[i], &capture->copy[i]);
	capture->duration = frec__monotonic() - capture->began;
	capture->settled &= !of_kernel || frec__ring_grace_period();
	for (size_t i = 0; i < ring_count; i++)
		frec__ring_copy_finish(&rings[i], &capture->copy[i], capture->settled, largest);
	count(sources, source_count, rings, ring_count, true, capture->after);
}
