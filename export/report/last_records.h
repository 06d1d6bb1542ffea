/* SPDX-License-Identifier: MIT */
/* The last records of some kind, kept as copies while a snapshot is read: the chunk that they lie
 * in goes when the next one comes. */
#ifndef FREC_EXPORT_REPORT_LAST_RECORDS_H
#define FREC_EXPORT_REPORT_LAST_RECORDS_H

#include "export/read/records.h"

struct frec_kept_record {
	uint8_t *data;
	size_t size;
};

/* The last `room` of all that were added. Start with `room` and zeroes. */
struct frec_last_records {
	size_t room, capacity;
	uint64_t seen;
	struct frec_kept_record *kept; /* number n at n % room */
};

int frec__last_records_add(struct frec_last_records *last, const struct frec_record *record);
void frec__last_records_deinit(struct frec_last_records *last);

/* The number of the oldest one that is there still. */
static inline uint64_t frec__last_records_first(const struct frec_last_records *last)
{
	return last->seen > last->room ? last->seen - last->room : 0;
}

/* More threads are not kept track of: each can take 64 KiB. */
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

/* `number` must rise. Both add functions return 0 or -ENOMEM. */
int frec__last_of_threads_add(struct frec_last_of_threads *last, const struct frec_record *record,
			      uint64_t number);
/* Puts them in the order of their numbers; nothing can be added afterwards. */
void frec__last_of_threads_sort(struct frec_last_of_threads *last);
void frec__last_of_threads_deinit(struct frec_last_of_threads *last);

#endif
