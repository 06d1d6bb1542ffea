/* SPDX-License-Identifier: MIT */
/* Builds .frec files without a recorder, but with its framing code. They have known events, several
 * CPUs, and every kind of field. */
#ifndef FREC_TESTS_MAKE_SNAPSHOT_H
#define FREC_TESTS_MAKE_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A file in memory. The caller frees `data`. */
struct made_file {
	uint8_t *data;
	size_t size;
};

struct make_options {
	bool zstd;	     /* compress the records */
	bool wrapped;	     /* rings that have overwritten something */
	bool wrong_loss;     /* loss parts that do not add up */
	bool wrong_count;    /* Records parts whose count is one too high */
	bool late_record;    /* one record is younger than its CPU's coverage, as in a live ring */
	bool late_from;	     /* coverage that begins with each CPU's last record */
	bool oversize;	     /* Records parts that claim more bytes than a part may hold */
	bool hostile;	     /* additional records, with wrong lengths, offsets and text */
	bool unknown_source; /* one record of a source that the file does not describe */
	bool markup;	     /* names and fields with markup and scripts, and a very long field */
	bool noise;	     /* 26000 events of other processes, on CPUs of their own */
	bool no_crash;	     /* the snapshot was requested; nothing crashed */
	bool other_host;     /* its machine's CLOCK_MONOTONIC began a second later */
	bool other_recorder; /* its recorder began a nanosecond later */
	/* requests have the kernel's call chain; switches, and the thread that did not crash, have
	 * unwound frames */
	bool stacks;
};

/* Makes a file with two CPUs, a process with two threads, a process that is not in the table, all
 * kinds of sources and fields, and a crash. */
void make_small(struct made_file *ret, const struct make_options *options);

/* Each CPU has `chunks` chunks of `chunk_size` bytes of records. */
struct make_large_options {
	unsigned int cpus, chunks;
	uint32_t chunk_size;
	bool stacks; /* like make_options.stacks, with 64 different stacks */
	/* fill the rings with the event of tests/bench/bench_lttng.c, not with switches and
	 * requests, which have many fields */
	bool orders;
};

/* Writes a snapshot of any size to an open file. */
void make_large(int fd, const struct make_large_options *options);

void make_write(const struct made_file *file, const char *path);

#endif
