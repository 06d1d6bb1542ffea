/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * Buffers in which BPF programs assemble records, because a record is too large for the stack of a
 * BPF program. A program can be preempted by another thread that hits a uprobe, so each CPU has
 * several buffers, which are acquired and released atomically. If no buffer is free, the record
 * counts as lost.
 */
#ifndef FREC_RECORDER_SOURCES_BPF_BUFFERS_BPF_H
#define FREC_RECORDER_SOURCES_BPF_BUFFERS_BPF_H

#include "recorder/sources/bpf_output.bpf.h"

/* Additional bytes at the end of a buffer, for programs that have to prove to the verifier that no
 * text runs past the end. */
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

static __always_inline struct frec_bpf_buffer *frec_buffer_acquire(void)
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

/* Counts a record as begun. Returns a buffer that contains the common fields, or counts the record
 * as lost and returns NULL. */
static __always_inline struct frec_bpf_buffer *frec_record_begin(struct frec_bpf_counts *count)
{
	struct frec_bpf_buffer *buffer;

	__sync_fetch_and_add(&count->begun, 1);
	buffer = frec_buffer_acquire();
	if (buffer)
		frec_write_common(buffer->data);
	else
		__sync_fetch_and_add(&count->lost, 1);
	return buffer;
}

static __always_inline void frec_buffer_release(struct frec_bpf_buffer *buffer)
{
	__sync_lock_test_and_set(&buffer->taken, 0);
}

#endif
