/* SPDX-License-Identifier: MIT */
/* perf_event_open(2), and what all perf events of the recorder have in common: the layout of their
 * records and counts. */
#ifndef FREC_RECORDER_RINGS_PERF_H
#define FREC_RECORDER_RINGS_PERF_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

/* What each record contains, whatever its source: see Records in flightrec.proto. */
#define FREC_SAMPLE_TYPE \
	(PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU)

/* The fixed start of a record that is a PERF_RECORD_SAMPLE with PERF_SAMPLE_RAW. */
struct frec_sample {
	struct perf_event_header header;
	uint64_t id;
	uint32_t pid, tid;
	uint64_t time; /* nanoseconds of CLOCK_MONOTONIC */
	uint32_t cpu, reserved;
	uint32_t raw_size;
	uint8_t raw[];
} __attribute__((packed));

/*
 * With PERF_SAMPLE_PERIOD the kernel inserts a u64 before raw_size. With PERF_SAMPLE_CALLCHAIN it
 * inserts a u64 count and that many u64, also before raw_size but after the period. See
 * snapshot/records.h and proto/perf_sample.h.
 */

/* The end of every record that is not a PERF_RECORD_SAMPLE (perf_event_attr.sample_id_all). */
struct frec_sample_id {
	uint32_t pid, tid;
	uint64_t time;
	uint32_t cpu, reserved;
	uint64_t id;
} __attribute__((packed));

/* What read(2) returns for an event whose read_format is FREC_READ_FORMAT. */
#define FREC_READ_FORMAT (PERF_FORMAT_ID | PERF_FORMAT_LOST)
struct frec_count {
	uint64_t value;
	uint64_t id;
	uint64_t lost;
};

#define FREC_TOO_MANY_FILES \
	"too many open files: each source takes one descriptor per CPU; raise the limit " \
	"(ulimit -n) or select fewer events"

/* Raises the soft limit of open files, which is only a default, to the hard limit. */
void frec__perf_raise_file_limit(void);

/* Clears `attr` and fills in what all events have in common. */
void frec__perf_attr_init(struct perf_event_attr *attr, uint32_t type, uint64_t config);

/*
 * Opens one event that covers all processes on `cpu`. If the kernel refuses PERF_FORMAT_LOST
 * (before 6.0) or the length of the callchain, this clears what was refused in `attr` and tries
 * again. Returns a close-on-exec descriptor, or a negative errno with a message.
 */
int frec__perf_open(struct perf_event_attr *attr, int cpu, struct frec_error *reterr);

/* Checks that this process may open events that cover all processes. Returns 0, or a negative errno
 * with a message. */
int frec__perf_allowed(struct frec_error *reterr);

/* Reads an event's counts. `lost` is 0 if the kernel does not count lost records. Returns 0 or a
 * negative errno. */
int frec__perf_count(int fd, struct frec_count *ret);

#endif
