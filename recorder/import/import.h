/* SPDX-License-Identifier: MIT */
/*
 * The import room converts perf.data of `perf record`, perf-collect and our own `export -f perf` to
 * a .frec file.
 *
 * Data flows one way. perf_data.c reads the file or pipe and returns its records;
 * perf_data_describe.c keeps what the file says about events, formats, build-ids, host and clocks.
 * import.c converts each sample to our layout. record_sort.c sorts the records by CPU and time,
 * with a temporary file for those that do not fit into memory. write.c writes the sorted records as
 * parts of a .frec file; processes.c builds the process table for it.
 *
 * Invariants: the input is hostile, so every size in it is checked before memory is allocated. The
 * output appears whole or not at all.
 */
#ifndef FREC_RECORDER_IMPORT_IMPORT_H
#define FREC_RECORDER_IMPORT_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/error.h"

enum {
	FREC_IMPORT_NO_COUNTS = 1,   /* values of counters (PERF_SAMPLE_READ) */
	FREC_IMPORT_NO_BRANCHES = 2, /* branch stacks */
	FREC_IMPORT_NO_DEFERRED = 4, /* the user's half of call chains (Linux 6.19) */
};

struct frec_import_result {
	uint64_t events, lost;
	/* samples that are not in the .frec file: their event is not described, or they are too
	 * large */
	uint64_t left_out;
	/* What else the recording has and the .frec file has not: FREC_IMPORT_NO_*. */
	unsigned int parts;
	uint64_t aux_bytes;	  /* of hardware traces */
	uint64_t unknown_samples; /* bits of sample_type that this version does not know */
	uint32_t sources, cpus;
	/* If the recording is cut off, or something else follows its records: where and why it
	 * ends. What comes before that is imported. */
	struct frec_error end;
	bool clock_known; /* the date and time of events are known */
	/* times are from the kernel's internal clock, which no program can read */
	bool clock_is_perfs;
};

struct frec_import_options {
	/* Called after each record, with the number of bytes read so far and the number of bytes to
	 * read, which is 0 (unknown) in the pipe format. May be NULL. */
	void (*progress)(void *data, uint64_t done, uint64_t total);
	void *progress_data;
};

/*
 * Reads all of `fd`, closes it, and writes the file `output`, whole or not at all. `name` is the
 * input's name for messages. What does not fit into memory goes to a temporary file beside
 * `output`, or in /var/tmp. `options` may be NULL. Returns 0 or a negative errno.
 */
int frec__import(int fd, const char *name, const char *output,
		 const struct frec_import_options *options, struct frec_import_result *ret,
		 struct frec_error *reterr);

#endif
