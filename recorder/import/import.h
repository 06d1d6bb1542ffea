/* SPDX-License-Identifier: MIT */
/* What somebody else recorded, as a .frec file: perf.data of `perf record`, perf-collect and our
 * own `export -f perf`. */
#ifndef FREC_RECORDER_IMPORT_IMPORT_H
#define FREC_RECORDER_IMPORT_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/error.h"

struct frec_import_result {
	uint64_t events, lost;
	/* samples of nothing that the file describes, or too large for a .frec file */
	uint64_t left_out;
	uint32_t sources, cpus;
	bool clock_known; /* the events' dates are */
	/* their times are of the kernel's own clock, which no program can read */
	bool clock_is_perfs;
};

struct frec_import_options {
	/* Called after each record, when not NULL, with bytes read and in all (0: not known, of a
	 * pipe). */
	void (*progress)(void *data, uint64_t done, uint64_t total);
	void *progress_data;
};

/*
 * Reads all of `fd`, which it closes, and writes `output`, whole or not at all. `name` is the
 * input's, for messages. Memory is bounded; what does not fit goes to a temporary file beside
 * `output`. `options` may be NULL. Returns 0 or a negative errno.
 */
int frec__import(int fd, const char *name, const char *output,
		 const struct frec_import_options *options, struct frec_import_result *ret,
		 struct frec_error *reterr);

#endif
