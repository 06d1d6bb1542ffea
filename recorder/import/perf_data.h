/* SPDX-License-Identifier: MIT */
/*
 * Reads perf.data as `perf record` and others write it, in the file format or in the pipe format,
 * which has records in place of tables. Both are described in the kernel's
 * tools/perf/Documentation/perf.data-file-format.txt.
 *
 * The input is hostile: every length is checked, and the constants below limit tables, events and
 * ids.
 */
#ifndef FREC_RECORDER_IMPORT_PERF_DATA_H
#define FREC_RECORDER_IMPORT_PERF_DATA_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/error.h"

/* The largest size of a table in bytes. The formats of all tracepoints of a kernel take 5 MB. */
#define FREC_PERF_TABLE_MAX (64u << 20)
#define FREC_PERF_EVENTS_MAX 65536
#define FREC_PERF_IDS_MAX (4u << 20)

/* One event that was recorded: one -e of `perf record`. */
struct frec_perf_event {
	struct perf_event_attr attr;
	char *name; /* perf's name for the event; NULL if the file has none */
};

/* The kernel's id of an event on one CPU or thread. */
struct frec_perf_id {
	uint64_t id;
	uint32_t event; /* index in frec_perf_data.events */
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
	uint64_t offset; /* where data[at] is in the input */
	uint64_t end;	 /* where the records end; UINT64_MAX: at the end of the input */
	uint8_t *data;
	size_t at, size;
};

/* Records that are decompressed from other records. */
struct frec_perf_unpacked {
	void *stream;	 /* ZSTD_DStream, one for the whole file */
	uint8_t *packed; /* the body of the record that is being decompressed */
	size_t packed_at, packed_size;
	uint8_t *data;
	size_t at, size;
	bool more; /* the decompressor may have more output */
};

struct frec_perf_data {
	const char *name; /* for messages */
	struct frec_perf_event *events;
	size_t event_count;
	struct frec_perf_id *ids; /* sorted on the first lookup */
	size_t id_count;
	bool ids_sorted;
	struct frec_perf_format *formats; /* sorted on the first lookup */
	size_t format_count;
	bool formats_sorted;
	struct frec_perf_build_id *build_ids;
	size_t build_id_count;
	/* The machine that was recorded; NULL or 0 if the file does not say. */
	char *hostname, *release, *version, *machine;
	uint32_t cpus_available, cpus_online;
	/* Two clocks, read at the same moment, in nanoseconds. */
	bool clock_known;
	uint32_t clock; /* the clock of the records' times, as in clock_gettime(2) */
	uint64_t clock_time, wall_time;

	struct frec_perf_input input;
	struct frec_perf_unpacked unpacked;
	uint64_t record_offset; /* of the last record, for messages */
	uint64_t aux_bytes;	/* of hardware traces, which were skipped */
	bool pipe;
	/* why the file lacks tables of features: perf record did not finish, or the file is cut
	 * off or damaged; NULL: it has them all */
	const char *unfinished;
};

/* Takes ownership of `fd`. A pipe can be read only in the pipe format. Returns 0 or a negative
 * errno. */
int frec__perf_data_open(struct frec_perf_data *data, int fd, const char *name,
			 struct frec_error *reterr);
void frec__perf_data_close(struct frec_perf_data *data);

/*
 * Finds the next record that does not describe the recording. `*ret` is valid until the next call,
 * is not aligned, and has as many bytes as the header says. Returns 1, 0 at the end, or a negative
 * errno: -EBADMSG if there is no whole record, and then none can be found after it either.
 */
int frec__perf_data_next(struct frec_perf_data *data, struct perf_event_header *ret_header,
			 const uint8_t **ret, struct frec_error *reterr);

/* Types of records that perf itself writes. */
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

/* Features are pieces of the description of the recording: tables after the records, or records of
 * their own in the pipe format. */
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
