/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/*
 * Room for BPF programs to put a record together, too large for their stack. A program of the
 * uprobe kind can be preempted by another thread that runs into one, so a CPU has several, taken
 * and given back by an atomic operation. A record for which none is free is counted as lost.
 */
#ifndef FREC_RECORDER_SOURCES_BPF_BUFFERS_BPF_H
#define FREC_RECORDER_SOURCES_BPF_BUFFERS_BPF_H

#include "recorder/sources/bpf_output.bpf.h"

/* Bytes behind the largest record, for programs that must show the verifier that no text can run
 * over the end. */
#ifndef FREC_BPF_BUFFER_SLACK
#define FREC_BPF_BUFFER_SLACK 0
#endif

struct frec_bpf_buffer {
	__u32 taken;
	__u32 reserved;
	__u8 data[FREC_BPF_RECORD_MAX + FREC_BPF_BUFFER_SLACK];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, int);
	__type(value, struct frec_bpf_buffer);
	__uint(max_entries, 1);
} buffers SEC(".maps");

static __always_inline struct frec_bpf_buffer *frec_buffer_take(void)
{
	__u32 first = bpf_get_smp_processor_id() * FREC_BPF_BUFFERS;

	for (__u32 i = 0; i < FREC_BPF_BUFFERS; i++) {
		__u32 key = first + i;
		struct frec_bpf_buffer *buffer = bpf_map_lookup_elem(&buffers, &key);

		if (!buffer)
			return 0;
		if (!__sync_val_compare_and_swap(&buffer->taken, 0, 1))
			return buffer;
	}
	return 0;
}

/* Counts a record as begun. Returns room with the common fields in it, or NULL, and then it is
 * counted as lost too. */
static __always_inline struct frec_bpf_buffer *frec_record_begin(struct frec_bpf_counts *count)
{
	struct frec_bpf_buffer *buffer;

	__sync_fetch_and_add(&count->begun, 1);
	buffer = frec_buffer_take();
	if (buffer)
		frec_put_common(buffer->data);
	else
		__sync_fetch_and_add(&count->lost, 1);
	return buffer;
}

static __always_inline void frec_buffer_give_back(struct frec_bpf_buffer *buffer)
{
	__sync_lock_test_and_set(&buffer->taken, 0);
}

#endif
