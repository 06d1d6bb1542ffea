/* SPDX-License-Identifier: MIT */
/*
 * Records, many more than fit into memory, in the order of a key (a CPU) and within it of time;
 * those of equal time stay as they came. What does not fit goes, sorted, to a temporary file
 * without a name, and is merged when it is read back.
 */
#ifndef FREC_RECORDER_IMPORT_RECORD_SORT_H
#define FREC_RECORDER_IMPORT_RECORD_SORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

struct frec_sort_item {
	uint64_t key, time;
	size_t at;
	uint32_t size;
};

/* A sorted stretch of the temporary file, and the part of it that is in memory. */
struct frec_sort_run {
	uint64_t offset, end; /* of what is not in memory yet */
	uint8_t *data;
	size_t at, size;
	struct frec_sort_item head; /* its first record, which stands at data[head.at] */
};

struct frec_record_sort {
	int folder;  /* where the temporary file goes */
	size_t room; /* bytes of records in memory */
	int fd;
	uint64_t written;
	uint8_t *data;
	size_t size;
	struct frec_sort_item *items;
	size_t count, items_room;
	size_t next; /* item to hand out, where all of them fitted */
	struct frec_sort_run *runs;
	size_t run_count;
	bool reading;
};

/* `room` bytes of records, at least 256 KiB, are held in memory; they cost up to twice as much.
 * Returns 0 or -ENOMEM. */
int frec__record_sort_init(struct frec_record_sort *sort, int folder, size_t room);
void frec__record_sort_deinit(struct frec_record_sort *sort);

/* Takes in a copy of `record`, of 128 KiB at most. */
int frec__record_sort_add(struct frec_record_sort *sort, uint64_t key, uint64_t time,
			  const void *record, uint32_t size, struct frec_error *reterr);

/*
 * The next in order; after the first call nothing can be added. Valid until the next call. Returns
 * 1, 0 at the end, or a negative errno.
 */
int frec__record_sort_next(struct frec_record_sort *sort, struct frec_sort_item *ret,
			   const uint8_t **ret_record, struct frec_error *reterr);

#endif
