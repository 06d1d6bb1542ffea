/* SPDX-License-Identifier: MIT */
/*
 * Sorts records by key (a CPU) and time, even if they do not all fit into memory. Records with
 * equal key and time are returned in the order in which they were added. Each time memory is full,
 * its records are sorted and written to a temporary file without a name. The sorted stretches are
 * merged when they are read back.
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
	uint64_t offset, end; /* the part that is not in memory yet */
	uint8_t *data;
	size_t at, size;
	struct frec_sort_item head; /* its next record, at data[head.at] */
};

struct frec_record_sort {
	int folder;  /* where the temporary file goes */
	size_t room; /* how many bytes of records memory holds */
	int fd;
	uint64_t written;
	uint8_t *data;
	size_t size;
	struct frec_sort_item *items;
	size_t count, items_room;
	size_t next; /* next item to return, if all records fit into memory */
	struct frec_sort_run *runs;
	size_t run_count;
	bool reading;
};

/*
 * Memory holds up to `room` bytes of records, which must be at least 256 KiB. While records are
 * added, at most twice as much memory is used. While they are read back, 256 KiB are used for each
 * time that memory was full. Returns 0 or -ENOMEM.
 */
int frec__record_sort_init(struct frec_record_sort *sort, int folder, size_t room);
void frec__record_sort_deinit(struct frec_record_sort *sort);

/* Adds a copy of `record`, which may have at most 128 KiB. Returns 0 or a negative errno. */
int frec__record_sort_add(struct frec_record_sort *sort, uint64_t key, uint64_t time,
			  const void *record, uint32_t size, struct frec_error *reterr);

/* Finds the next record in order, which is valid until the next call. After the first call no
 * record can be added. Returns 1 if there is one, 0 at the end, or a negative errno. */
int frec__record_sort_next(struct frec_record_sort *sort, struct frec_sort_item *ret,
			   const uint8_t **ret_record, struct frec_error *reterr);

#endif
