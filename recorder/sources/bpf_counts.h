/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The counts and size limits of the records that BPF programs write, shared with their readers. */
#ifndef FREC_RECORDER_SOURCES_BPF_COUNTS_H
#define FREC_RECORDER_SOURCES_BPF_COUNTS_H

/* The fields that perf puts before the payload of every tracepoint. */
#define FREC_BPF_COMMON_SIZE 8
/* Common fields and the largest payload: the limit of tracepoints and user_events, the kernel's
 * PERF_MAX_TRACE_SIZE. */
#define FREC_BPF_RECORD_MAX 8192
/* How many records can be assembled on one CPU at once: see bpf_buffers.bpf.h. */
#define FREC_BPF_BUFFERS 8

/* The counts of one source on one CPU. They never decrease. Padded to 64 bytes so that CPUs do not
 * share a cache line. */
struct frec_bpf_counts {
	unsigned long long begun;   /* the program ran */
	unsigned long long written; /* and its record is in the ring */
	unsigned long long lost;    /* or its record could not be written */
	unsigned long long reserved[5];
};

#endif
