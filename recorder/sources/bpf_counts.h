/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The counts and size limits of the records that BPF programs write, for these programs and for the
 * code that reads the records. */
#ifndef FREC_RECORDER_SOURCES_BPF_COUNTS_H
#define FREC_RECORDER_SOURCES_BPF_COUNTS_H

/* The size of the common fields, which perf puts before a tracepoint's own fields. */
#define FREC_BPF_COMMON_SIZE 8
/* The maximum size of a record, common fields included. It is the same as for tracepoints and
 * user_events: the kernel's PERF_MAX_TRACE_SIZE. */
#define FREC_BPF_RECORD_MAX 8192
/* How many records can be assembled on one CPU at once: see bpf_buffers.bpf.h. */
#define FREC_BPF_BUFFERS 8

/* The counts of one source on one CPU. They never decrease. Padded to 64 bytes so that CPUs do not
 * share a cache line. */
struct frec_bpf_counts {
	unsigned long long begun;   /* records that the program began */
	unsigned long long written; /* records that were written to the ring */
	unsigned long long lost;    /* records that could not be written */
	unsigned long long reserved[5];
};

#endif
