// SPDX-License-Identifier: MIT
// Remembers the last records of each ring, and compares each new record with them.
#include "export/timeline/duplicates.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/grow.h"

#define REMEMBERED 32

struct remembered {
	uint64_t files; /* a bit for each file that has the record; 0: this slot is empty */
	uint64_t time;
	size_t source;
	uint32_t pid, tid;
	uint8_t *payload;
	size_t size, capacity;
};

struct frec_duplicates_ring {
	uint32_t cpu, number;
	size_t next; /* number of the next record, which replaces the oldest */
	struct remembered *records;
};

static struct frec_duplicates_ring *find_ring(struct frec_duplicates *duplicates, uint32_t cpu,
					      uint32_t number)
{
	uint64_t key = (uint64_t)cpu << 32 | number;
	uint32_t *index = frec__table_get(&duplicates->indices, key);
	struct frec_duplicates_ring *ring;

	if (index)
		return &duplicates->rings[*index];
	if (!frec__grow(&duplicates->rings, duplicates->count, sizeof(*ring)))
		return NULL;
	ring = &duplicates->rings[duplicates->count];
	*ring = (struct frec_duplicates_ring){
		.cpu = cpu,
		.number = number,
		.records = calloc(REMEMBERED, sizeof(*ring->records)),
	};
	if (!ring->records)
		return NULL;
	index = frec__table_put(&duplicates->indices, key, NULL);
	if (!index) {
		free(ring->records);
		return NULL;
	}
	*index = (uint32_t)duplicates->count++;
	return ring;
}

static bool same(const struct remembered *old, size_t source, const struct frec_record *record)
{
	return old->time == record->time && old->source == source && old->pid == record->pid &&
	       old->tid == record->tid && old->size == record->payload_size &&
	       (!old->size || !memcmp(old->payload, record->payload, old->size));
}

static int remember(struct frec_duplicates_ring *ring, uint64_t file, size_t source,
		    const struct frec_record *record)
{
	struct remembered *slot = &ring->records[ring->next++ % REMEMBERED];

	if (record->payload_size > slot->capacity) {
		uint8_t *grown = realloc(slot->payload, 2 * record->payload_size);

		if (!grown)
			return -ENOMEM;
		slot->payload = grown;
		slot->capacity = 2 * record->payload_size;
	}
	if (record->payload_size)
		memcpy(slot->payload, record->payload, record->payload_size);
	slot->size = record->payload_size;
	slot->files = file;
	slot->time = record->time;
	slot->source = source;
	slot->pid = record->pid;
	slot->tid = record->tid;
	return 0;
}

int frec__duplicates_check(struct frec_duplicates *duplicates, unsigned int file, uint32_t number,
			   size_t source, const struct frec_record *record)
{
	// The CPU is that of the record, which is the same in all files even if the ring belongs to
	// no CPU.
	struct frec_duplicates_ring *ring = find_ring(duplicates, record->cpu, number);
	uint64_t bit = 1ull << file;

	if (!ring)
		return -ENOMEM;
	for (size_t i = 0; i < REMEMBERED; i++) {
		struct remembered *old = &ring->records[i];

		if (old->files && !(old->files & bit) && same(old, source, record)) {
			old->files |= bit;
			return 1;
		}
	}
	return remember(ring, bit, source, record);
}

void frec__duplicates_free(struct frec_duplicates *duplicates)
{
	for (size_t i = 0; i < duplicates->count; i++) {
		for (size_t k = 0; k < REMEMBERED; k++)
			free(duplicates->rings[i].records[k].payload);
		free(duplicates->rings[i].records);
	}
	free(duplicates->rings);
	frec__table_free(&duplicates->indices);
	*duplicates = (struct frec_duplicates){0};
}
