/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* What a BPF program of ours tells about its records, and how large they get: shared with those who
 * read it. */
#ifndef FREC_RECORDER_SOURCES_BPF_COUNTS_H
#define FREC_RECORDER_SOURCES_BPF_COUNTS_H

/* Common fields and the largest payload: the limit of user_events, the kernel's
 * PERF_MAX_TRACE_SIZE. */
#define FREC_BPF_RECORD_MAX 8192
/* Records that can be put together at once on one CPU: see bpf_buffers.bpf.h. */
#define FREC_BPF_BUFFERS 8

/* Of one source on one CPU. Only ever added to; 64 bytes, so that CPUs do not share a cache
 * line. */
struct frec_bpf_counts {
	unsigned long long begun;   /* the program ran */
	unsigned long long written; /* ... and its record is in the ring */
	unsigned long long lost;    /* ... and there was no way to write it */
	unsigned long long reserved[5];
};

#endif
