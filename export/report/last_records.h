/* SPDX-License-Identifier: MIT */
/* Keeps the last records of some kind while a snapshot is read. The kept records are copies,
 * because in memory each chunk replaces the previous one. */
#ifndef FREC_EXPORT_REPORT_LAST_RECORDS_H
#define FREC_EXPORT_REPORT_LAST_RECORDS_H

#include "export/read/records.h"

struct frec_kept_record {
	uint8_t *data;
	size_t size;
};

/* The last `room` of all records that were added. Set `room` at the start, and the rest to zero. */
struct frec_last_records {
	size_t room, capacity;
	uint64_t seen;
	struct frec_kept_record *kept; /* record n (from 0) is at n % room */
};

int frec__last_records_add(struct frec_last_records *last, const struct frec_record *record);
void frec__last_records_deinit(struct frec_last_records *last);

/* Returns the number (from 0) of the oldest record that is still kept. */
static inline uint64_t frec__last_records_first(const struct frec_last_records *last)
{
	return last->seen > last->room ? last->seen - last->room : 0;
}

/* The last record is kept for no more threads than this, because a record can take 64 KiB. Further
 * threads are left out. */
#define FREC_LAST_THREADS_MAX 256

/* The last record of each thread. Start with zeroes. */
struct frec_last_of_threads {
	size_t count, recent;
	struct frec_thread_last {
		uint32_t tid;
		uint64_t number; /* which the caller gave with the record */
		struct frec_kept_record kept;
	} * threads;
};

/* Keeps a copy of the record as the last one of its thread. `number` must increase from call to
 * call. Returns 0 or -ENOMEM. */
int frec__last_of_threads_add(struct frec_last_of_threads *last, const struct frec_record *record,
			      uint64_t number);
/* Sorts the threads by number. Nothing can be added afterwards. */
void frec__last_of_threads_sort(struct frec_last_of_threads *last);
void frec__last_of_threads_deinit(struct frec_last_of_threads *last);

#endif
