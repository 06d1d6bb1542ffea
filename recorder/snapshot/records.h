/* SPDX-License-Identifier: MIT */
/* Walking the copy of a ring: whole records, newest first, each with the source that made it. */
#ifndef FREC_RECORDER_SNAPSHOT_RECORDS_H
#define FREC_RECORDER_SNAPSHOT_RECORDS_H

#include "proto/table.h"
#include "recorder/snapshot/capture.h"

/* Finds sources by the kernel's event ids. */
struct frec_id_map {
	struct frec_table source; /* event id to index of the source */
};

/* Returns 0, or -ENOMEM and an empty map. */
int frec__id_map_init(struct frec_id_map *map, const struct frec_source *sources, size_t count);
void frec__id_map_deinit(struct frec_id_map *map);
#define FREC_ID_MAP __attribute__((cleanup(frec__id_map_deinit)))

/* Index of the source, or -1. */
int frec__id_map_find(const struct frec_id_map *map, uint64_t perf_id);

/* Fills `offsets` with where the whole records of a copy begin, newest first. Returns how many
 * there are. */
size_t frec__records_find(const struct frec_ring_copy *copy, uint32_t *offsets, size_t room);

/* The time and id of a record, wherever its type has them. */
uint64_t frec__record_time(const struct perf_event_header *record);
uint64_t frec__record_id(const struct perf_event_header *record);
uint32_t frec__record_pid(const struct perf_event_header *record);

/* Puts `id` where the kernel wrote its own. */
void frec__record_set_id(struct perf_event_header *record, uint64_t id);

#endif
