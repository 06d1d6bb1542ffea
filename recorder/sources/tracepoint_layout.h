/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* What the BPF program of tracepoints.bpf.c needs to know about a tracepoint. */
#ifndef FREC_RECORDER_SOURCES_TRACEPOINT_LAYOUT_H
#define FREC_RECORDER_SOURCES_TRACEPOINT_LAYOUT_H

/* The maximum number of fields of one tracepoint whose data follows the fixed part of its
 * payload. */
#define FREC_TRACEPOINT_DATA_MAX 16

/* A word in the fixed part of the payload, which says where data lies behind that part. */
struct frec_tracepoint_data {
	unsigned short offset;	 /* of the word, in bytes from the start of the payload */
	unsigned short relative; /* 1: the data's offset counts from the end of the word */
};

struct frec_tracepoint_layout {
	unsigned int on;   /* 0: nothing is recorded yet */
	unsigned int id;   /* the kernel's number of the tracepoint */
	unsigned int size; /* bytes of the fixed part of the payload, common fields included */
	unsigned int count;
	struct frec_tracepoint_data data[FREC_TRACEPOINT_DATA_MAX];
};

#endif
