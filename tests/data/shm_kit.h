/* SPDX-License-Identifier: MIT */
/* Helpers for the tests of the shm transport. They make rings, declare an event with a number, and
 * collect all its records as the reader finds them. */
#ifndef FREC_TESTS_SHM_KIT_H
#define FREC_TESTS_SHM_KIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "recorder/snapshot/records.h"
#include "recorder/rings/shm_copy.h"
#include "recorder/rings/shm_rings_internal.h"
#include "recorder/service/shm_emit.h"

FREC_EVENT(kit, tick, FREC_U32(thread), FREC_U64(number), FREC_STR(text));

struct kit_record {
	uint32_t thread;
	uint64_t number;
	uint32_t pid, tid;
	uint64_t time;
	size_t ring;
	size_t at; /* offset in the ring's copy */
};

struct kit_reading {
	size_t count;
	struct kit_record *record;     /* newest first in each ring */
	struct frec_shm_damage damage; /* of all rings */
	uint64_t emitted;
	bool wrapped;
};

static inline struct frec_shm_rings *kit_create_for(size_t cpus, size_t ring_size, uint32_t options)
{
	static const char *const selection[] = {"kit:t*", NULL};
	struct frec_shm_rings *rings = NULL;

	return frec__shm_create_for(&rings, cpus, ring_size, selection, options, NULL) ? NULL
										       : rings;
}

static inline struct frec_shm_rings *kit_create(size_t ring_size, uint32_t options)
{
	return kit_create_for((size_t)sysconf(_SC_NPROCESSORS_CONF), ring_size, options);
}

/* Returns the index of the event kit:tick among the known events. */
static inline size_t kit_tick(const struct frec_shm_rings *rings)
{
	size_t event = 0;

	while (strcmp(frec__shm_event(rings, event)->name, "tick") != 0)
		event++;
	return event;
}

/* Maps the whole memfd, for a writer that writes where it should not. */
static inline uint8_t *kit_map(const struct frec_shm_rings *rings)
{
	return mmap(NULL, rings->layout.size, PROT_READ | PROT_WRITE, MAP_SHARED, rings->fd, 0);
}

/* Adds the records of a finished copy to `reading`. */
static inline void kit_take(struct kit_reading *reading, const struct frec_ring_copy *copy,
			    size_t ring)
{
	size_t room = copy->valid / FREC_RECORD_SIZE_MIN + 1, count;
	uint32_t *offset = calloc(room, sizeof(*offset));

	count = frec__records_find(copy, offset, room);
	reading->record =
		reallocarray(reading->record, reading->count + count + 1, sizeof(*reading->record));
	for (size_t i = 0; i < count; i++) {
		const struct frec_sample *sample = (const void *)(copy->data + offset[i]);
		struct kit_record *record = &reading->record[reading->count++];

		*record = (struct kit_record){.pid = sample->pid,
					      .tid = sample->tid,
					      .time = sample->time,
					      .ring = ring,
					      .at = offset[i]};
		memcpy(&record->thread, sample->raw + 8, sizeof(record->thread));
		memcpy(&record->number, sample->raw + 12, sizeof(record->number));
	}
	reading->wrapped |= copy->wrapped;
	free(offset);
}

static inline struct kit_reading kit_read(struct frec_shm_rings *rings)
{
	struct frec_ring_copy copy = {.data = malloc(rings->ring_size)};
	struct kit_reading reading = {0};
	size_t events;

	events = frec__shm_refresh(rings);
	for (size_t i = 0; i < frec__shm_ring_count(rings); i++) {
		struct frec_shm_damage damage;

		frec__shm_copy(rings, i, &copy);
		frec__shm_copy_finish(rings, &copy, &damage);
		reading.damage.regions += damage.regions;
		reading.damage.bytes += damage.bytes;
		kit_take(&reading, &copy, i);
		for (size_t e = 0; e < events; e++)
			reading.emitted += frec__shm_emitted(rings, e, i);
	}
	free(copy.data);
	return reading;
}

#endif
