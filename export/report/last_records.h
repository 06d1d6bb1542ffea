/* SPDX-License-Identifier: MIT */
/* Copies of the last records of some kind, made while a snapshot is read, because each chunk
 * replaces the previous one. */
#ifndef FREC_EXPORT_REPORT_LAST_RECORDS_H
#define FREC_EXPORT_REPORT_LAST_RECORDS_H

#include "export/read/records.h"

struct frec_kept_record {
	uint8_t *data;
	size_t size;
};

/* The last `room` of all records that were added. Start with `room` and zeroes. */
struct frec_last_records {
	size_t room, capacity;
	uint64_t seen;
	struct frec_kept_record *kept; /* record n is at n % room */
};

int frec__last_records_add(struct frec_last_records *last, const struct frec_record *record);
void frec__last_records_deinit(struct frec_last_records *last);

/* The number of the oldest record that is still kept. */
static inline uint64_t frec__last_records_first(const struct frec_last_records *last)
{
	return last->seen > last->room ? last->seen - last->room : 0;
}

/* The most threads that are tracked, because a record can take 64 KiB. */
#define FREC_LAST_THREADS_MAX 256

/* The last one of each thread. Start with zeroes. */
struct frec_last_of_threads {
	size_t count, recent;
	struct frec_thread_last {
		uint32_t tid;
		uint64_t number; /* as given with the record */
		struct frec_kept_record kept;
	} * threads;
};

/* `number` must increase. Both add functions return 0 or -ENOMEM. */
int frec__last_of_threads_add(struct frec_last_of_threads *last, const struct frec_record *record,
			      uint64_t number);
/* Sorts them by number. Nothing can be added afterwards. */
void frec__last_of_threads_sort(struct frec_last_of_threads *last);
void frec__last_of_threads_deinit(struct frec_last_of_threads *last);

#endif
