/* SPDX-License-Identifier: MIT */
/*
 * Reading perf.data, as `perf record` and others write it: a file, or the form for pipes, which has
 * no tables but records in their place. The format is described in the kernel's
 * tools/perf/Documentation/perf.data-file-format.txt.
 *
 * The file is hostile: every length is checked, and memory is bounded by the constants below.
 */
#ifndef FREC_RECORDER_IMPORT_PERF_DATA_H
#define FREC_RECORDER_IMPORT_PERF_DATA_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

/* Bytes of a table, uncompressed: the formats of every tracepoint of a kernel take 5 MB. */
#define FREC_PERF_TABLE_MAX (64u << 20)
#define FREC_PERF_EVENTS_MAX 65536
#define FREC_PERF_IDS_MAX (4u << 20)

/* What was recorded: `perf record -e` once. */
struct frec_perf_event {
	struct perf_event_attr attr;
	char *name; /* as perf calls it; NULL where the file does not say */
};

/* The kernel's number of an event on one CPU or thread. */
struct frec_perf_id {
	uint64_t id;
	uint32_t event; /* index */
};

/* The layout of a tracepoint's payload. */
struct frec_perf_format {
	char *system;
	char *text;  /* the kernel's format file */
	uint32_t id; /* perf_event_attr.config */
};

struct frec_perf_build_id {
	char *path;
	uint8_t id[20];
	uint8_t size;
};

/* Unread bytes of the input. */
struct frec_perf_input {
	int fd;
	bool seekable;
	uint64_t offset; /* in the file, of data[at] */
	uint64_t end;	 /* where the records end; UINT64_MAX: at the end of the input */
	uint8_t *data;
	size_t at, size;
};

/* Records that stood compressed in others. */
struct frec_perf_unpacked {
	void *stream;	 /* ZSTD_DStream, one for the whole file */
	uint8_t *packed; /* of the record that is being unpacked */
	size_t packed_at, packed_size;
	uint8_t *data;
	size_t at, size;
	bool more; /* there may be more of what was put in */
};

struct frec_perf_data {
	const char *name; /* for messages */
	struct frec_perf_event *events;
	size_t event_count;
	struct frec_perf_id *ids; /* sorted once the first record was asked for */
	size_t id_count;
	bool ids_sorted;
	struct frec_perf_format *formats; /* sorted, likewise, once one was asked for */
	size_t format_count;
	bool formats_sorted;
	struct frec_perf_build_id *build_ids;
	size_t build_id_count;
	/* Of the machine; NULL or 0 where the file does not say. */
	char *hostname, *release, *version, *machine;
	uint32_t cpus_available, cpus_online;
	/* A reading of two clocks at one moment, nanoseconds. */
	bool clock_known;
	uint32_t clock; /* which one the records' times are of, as in clock_gettime(2) */
	uint64_t clock_time, wall_time;

	struct frec_perf_input input;
	struct frec_perf_unpacked unpacked;
	uint64_t record_offset; /* of the last record, for messages */
	bool pipe;
};

/* Takes over `fd`. A pipe can be read when what comes has the form for pipes. Returns 0 or a
 * negative errno. */
int frec__perf_data_open(struct frec_perf_data *data, int fd, const char *name,
			 struct frec_error *reterr);
void frec__perf_data_close(struct frec_perf_data *data);

/*
 * The next record of the kernel's own kinds (and of perf's, where they say something of the
 * recording). It is valid until the next call, not aligned, and whole: its header's size is how
 * many bytes there are. Returns 1, 0 at the end, or a negative errno.
 */
int frec__perf_data_next(struct frec_perf_data *data, struct perf_event_header *ret_header,
			 const uint8_t **ret, struct frec_error *reterr);

/* Numbers of perf's own records. */
enum frec_perf_record {
	FREC_PERF_HEADER_ATTR = 64,
	FREC_PERF_HEADER_TRACING_DATA = 66,
	FREC_PERF_HEADER_BUILD_ID = 67,
	FREC_PERF_FINISHED_ROUND = 68,
	FREC_PERF_AUXTRACE = 71,
	FREC_PERF_EVENT_UPDATE = 78,
	FREC_PERF_HEADER_FEATURE = 80,
	FREC_PERF_COMPRESSED = 81,
	FREC_PERF_COMPRESSED2 = 83,
};

/* Features: tables behind the records, or records of their own in the form for pipes. */
enum frec_perf_feature {
	FREC_PERF_TRACING_DATA = 1,
	FREC_PERF_BUILD_ID = 2,
	FREC_PERF_HOSTNAME = 3,
	FREC_PERF_OSRELEASE = 4,
	FREC_PERF_VERSION = 5,
	FREC_PERF_ARCH = 6,
	FREC_PERF_NRCPUS = 7,
	FREC_PERF_EVENT_DESC = 12,
	FREC_PERF_CLOCK_DATA = 29,
	FREC_PERF_FEATURES = 256,
};

#endif
