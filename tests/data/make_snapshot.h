/* SPDX-License-Identifier: MIT */
/* Builds .frec files out of nothing, through the same framing as the recorder: known events,
 * several CPUs, every kind of field. */
#ifndef FREC_TESTS_MAKE_SNAPSHOT_H
#define FREC_TESTS_MAKE_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a file in memory; free data. */
struct made_file {
	uint8_t *data;
	size_t size;
};

struct make_options {
	bool zstd;	  /* compress the records */
	bool wrapped;	  /* rings that have overwritten something */
	bool wrong_loss;  /* loss parts that do not add up */
	bool wrong_count; /* records parts that claim one record too many */
	bool late_record; /* one record younger than its CPU's coverage, as a live ring has them */
	bool late_from;	  /* coverage that begins with each CPU's last record */
	bool oversize;	  /* records parts that claim more bytes than a part may hold */
	bool hostile; /* more records, whose lengths, offsets and text are not what they should be
		       */
	bool unknown_source; /* one record of a source that the file does not describe */
	/* names and fields that a browser could take for more than text, and a long one */
	bool markup;
	bool noise;	     /* 26000 events of somebody else, on CPUs of their own */
	bool no_crash;	     /* a snapshot on request */
	bool other_host;     /* of another machine, whose CLOCK_MONOTONIC began a second later */
	bool other_recorder; /* of a recorder that began a nanosecond later */
	/* requests have the kernel's call chain, switches frames, and the threads that did not
	 * die theirs */
	bool stacks;
};

/* Two CPUs, a process with two threads and one unknown to the table, all kinds of sources and
 * fields, a crash. */
void make_small(struct made_file *ret, const struct make_options *options);

/* Chunks of `chunk_size` bytes of records, so many for each of the CPUs. */
struct make_large_options {
	unsigned int cpus, chunks;
	uint32_t chunk_size;
	bool stacks; /* as make_options.stacks, of which there are 64 */
	/* all are the event of tests/bench/bench_lttng.c, else requests of many fields and
	 * switches */
	bool orders;
};

/* Writes a file of any size to an open file. */
void make_large(int fd, const struct make_large_options *options);

void make_write(const struct made_file *file, const char *path);

#endif
