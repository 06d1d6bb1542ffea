/* SPDX-License-Identifier: MIT */
/* Walks the copy of a ring: whole records, newest first, each with the source that wrote it. */
#ifndef FREC_RECORDER_SNAPSHOT_RECORDS_H
#define FREC_RECORDER_SNAPSHOT_RECORDS_H

#include "proto/table.h"
#include "recorder/snapshot/capture.h"

/* Finds a source by the kernel's id of its event. */
struct frec_id_map {
	struct frec_table source; /* from event id to index of the source */
};

/* Returns 0, or -ENOMEM and an empty map. */
int frec__id_map_init(struct frec_id_map *map, const struct frec_source *sources, size_t count);
void frec__id_map_deinit(struct frec_id_map *map);
#define FREC_ID_MAP __attribute__((cleanup(frec__id_map_deinit)))

/* Returns the index of the source, or -1 if no source has that id. */
int frec__id_map_find(const struct frec_id_map *map, uint64_t perf_id);

/* Fills `offsets`, which has `room` elements, with the offsets of the whole records in a copy,
 * newest first. Returns how many there are. */
size_t frec__records_find(const struct frec_ring_copy *copy, uint32_t *offsets, size_t room);

/* Each of these returns a field of a record, whose place depends on the type of the record. */
uint64_t frec__record_time(const struct perf_event_header *record);
uint64_t frec__record_id(const struct perf_event_header *record);
uint32_t frec__record_pid(const struct perf_event_header *record);

/* Overwrites the kernel's id of the event with `id`. */
void frec__record_set_id(struct perf_event_header *record, uint64_t id);

#endif
