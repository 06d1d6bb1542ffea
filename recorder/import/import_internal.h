/* SPDX-License-Identifier: MIT */
/* Internal to import.c, processes.c and write.c: an import in progress. */
#ifndef FREC_RECORDER_IMPORT_IMPORT_INTERNAL_H
#define FREC_RECORDER_IMPORT_IMPORT_INTERNAL_H

#include "recorder/import/import.h"
#include "recorder/import/perf_data.h"
#include "recorder/import/record_sort.h"
#include "recorder/snapshot/parts.h"

/* Keys of the sort: records about processes come first, then those of each CPU in turn. */
#define FREC_IMPORT_SIDEBAND 0
static inline uint64_t frec__import_key(uint32_t cpu)
{
	return UINT64_C(1) + cpu;
}

/* Takes the place of a record that reports lost samples. `source` is 0 if the file does not get the
 * source whose samples were lost. */
struct frec_import_loss {
	struct perf_event_header header; /* of type PERF_RECORD_LOST or PERF_RECORD_LOST_SAMPLES */
	uint64_t source, lost;
};

/* An import in progress. The id of a source is its index in data.events, plus 1. */
struct frec_import {
	struct frec_perf_data data;
	struct frec_record_sort sort;
	struct frec_parts parts;
	struct frec_crash_finder finder; /* the processes whose mappings are written */
	size_t events_checked;
	/* where samples and other records have the id of their event; SIZE_MAX: nowhere */
	size_t id_offset, id_trailer;
	uint64_t first, last; /* times of the first and last sample */
	bool lost_samples;    /* there are PERF_RECORD_LOST_SAMPLES, which report all losses */
	bool backward;	      /* old records in the rings may have been overwritten */
	bool ours;	      /* flightrec's export wrote the input */
	struct frec_import_result result;
	uint8_t *out; /* room for a record */
};

/* write.c: writes all parts of the .frec file. The first failure is in import->parts.error. */
void frec__import_write(struct frec_import *import);

/* processes.c: updates the process table with a record about a process. The record has `size` bytes
 * with its header, and may be hostile. */
void frec__import_process_record(struct frec_process_table *processes, const uint8_t *record,
				 size_t size, uint64_t time);
/* processes.c: adds build-ids from the file's table to the mappings, and marks threads of the
 * kernel. */
void frec__import_finish_processes(struct frec_process_table *processes,
				   struct frec_perf_data *data);

#endif
