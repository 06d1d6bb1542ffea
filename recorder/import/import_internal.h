/* SPDX-License-Identifier: MIT */
/* From sorted records to the parts of a .frec file. */
#ifndef FREC_RECORDER_IMPORT_IMPORT_INTERNAL_H
#define FREC_RECORDER_IMPORT_IMPORT_INTERNAL_H

#include "recorder/import/import.h"
#include "recorder/import/perf_data.h"
#include "recorder/import/record_sort.h"
#include "recorder/snapshot/parts.h"

/* Keys of the sort: first what tells of processes, then the records of one CPU after the other. */
#define FREC_IMPORT_SIDEBAND 0
static inline uint64_t frec__import_key(uint32_t cpu)
{
	return UINT64_C(1) + cpu;
}

/* In the place of a record that tells of loss: of the source, or 0 for one that is not written. */
struct frec_import_loss {
	struct perf_event_header header; /* of type PERF_RECORD_LOST or PERF_RECORD_LOST_SAMPLES */
	uint64_t source, lost;
};

/* An import under way. Sources have their index in data.events, plus 1, as their id. */
struct frec_import {
	struct frec_perf_data data;
	struct frec_record_sort sort;
	struct frec_parts parts;
	struct frec_crash_finder finder; /* whose mappings are wanted */
	size_t events_checked;
	/* where records have their event's number; SIZE_MAX: nowhere */
	size_t id_offset, id_trailer;
	uint64_t first, last; /* times of samples */
	bool lost_samples;    /* PERF_RECORD_LOST_SAMPLES were seen: then they tell all */
	bool backward;	      /* rings that are overwritten */
	bool ours;	      /* flightrec's export wrote it */
	struct frec_import_result result;
	uint8_t *out; /* room for a record */
};

/* Whether the events of this attribute are written. */
bool frec__import_is_written(const struct perf_event_attr *attr);
/* PERF_SAMPLE_* of what is written of its samples. */
uint64_t frec__import_sample_type(const struct perf_event_attr *attr);

/* Writes everything. The first failure is in import->parts.error. */
void frec__import_write(struct frec_import *import);

/* Takes in a record that tells of a process. It is `size` bytes with its header, and hostile. */
void frec__import_process_record(struct frec_process_table *processes, const uint8_t *record,
				 size_t size, uint64_t time);
/* Fills in what only the file's table knows of the mappings' build-ids, and which are threads of
 * the kernel. */
void frec__import_finish_processes(struct frec_process_table *processes,
				   struct frec_perf_data *data);

#endif
