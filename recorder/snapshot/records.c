// SPDX-License-Identifier: MIT
// Walks the copy of a ring. A snapshot needs time, id and pid of every record several times, so
// they are read from their fixed places. To read all parts of a record, use
// frec__perf_sample_read().
#include "recorder/snapshot/records.h"

#include <errno.h>

int frec__id_map_init(struct frec_id_map *map, const struct frec_source *sources, size_t count)
{
	*map = (struct frec_id_map){0};
	for (size_t s = 0; s < count; s++) {
		for (size_t r = 0; r < sources[s].opened; r++) {
			uint32_t *source;

			if (!sources[s].perf_id[r]) // the source is not open on this ring
				continue;
			source = frec__table_put(&map->source, sources[s].perf_id[r], NULL);
			if (!source) {
				frec__id_map_deinit(map);
				return -ENOMEM;
			}
			*source = (uint32_t)s;
		}
	}
	return 0;
}

void frec__id_map_deinit(struct frec_id_map *map)
{
	frec__table_free(&map->source);
}

int frec__id_map_find(const struct frec_id_map *map, uint64_t perf_id)
{
	const uint32_t *source = frec__table_get(&map->source, perf_id);

	return source ? (int)*source : -1;
}

size_t frec__records_find(const struct frec_ring_copy *copy, uint32_t *offsets, size_t room)
{
	size_t count = 0, at = 0;

	while (count < room && copy->valid - at >= FREC_RECORD_SIZE_MIN) {
		const struct perf_event_header *header = (const void *)(copy->data + at);

		if (header->size < FREC_RECORD_SIZE_MIN || header->size % 8 ||
		    header->size > copy->valid - at ||
		    (header->type == PERF_RECORD_SAMPLE &&
		     header->size < sizeof(struct frec_sample)))
			break;
		offsets[count++] = (uint32_t)at;
		at += header->size;
	}
	return count;
}

static struct frec_sample_id *trailer(const struct perf_event_header *record)
{
	return (struct frec_sample_id *)((char *)record + record->size -
					 sizeof(struct frec_sample_id));
}

uint64_t frec__record_time(const struct perf_event_header *record)
{
	if (record->type == PERF_RECORD_SAMPLE)
		return ((const struct frec_sample *)record)->time;
	return trailer(record)->time;
}

uint64_t frec__record_id(const struct perf_event_header *record)
{
	if (record->type == PERF_RECORD_SAMPLE)
		return ((const struct frec_sample *)record)->id;
	return trailer(record)->id;
}

uint32_t frec__record_pid(const struct perf_event_header *record)
{
	if (record->type == PERF_RECORD_SAMPLE)
		return ((const struct frec_sample *)record)->pid;
	return trailer(record)->pid;
}

void frec__record_set_id(struct perf_event_header *record, uint64_t id)
{
	if (record->type == PERF_RECORD_SAMPLE)
		((struct frec_sample *)record)->id = id;
	else
		trailer(record)->id = id;
}
