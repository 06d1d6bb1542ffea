// SPDX-License-Identifier: MIT OR GPL-2.0-only
// Records kernel tracepoints as perf would, with the payload that their format files describe, in
// the idle task of a CPU too. The cookie of the attached program is the slot of the source.
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

#include "recorder/sources/bpf_buffers.bpf.h"
#include "recorder/sources/tracepoint_layout.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, int);
	__type(value, struct frec_tracepoint_layout);
	__uint(max_entries, 1);
} layouts SEC(".maps");

// Returns where the data ends that a word in the fixed part of the payload refers to, or 0.
static __always_inline __u32 end_of_data(const __u8 *payload, const struct frec_tracepoint_data *at)
{
	__u32 word;

	if (at->offset > FREC_BPF_RECORD_MAX - sizeof(word))
		return 0;
	word = *(const __u32 *)(payload + at->offset);
	return (word & 0xffff) + (word >> 16) + (at->relative ? at->offset + sizeof(word) : 0);
}

// Copies the payload behind the common fields, of which the program's context has a pointer
// instead. Returns the size of the whole payload, or 0.
static __always_inline __u32 copy(__u8 *payload, void *context,
				  const struct frec_tracepoint_layout *layout)
{
	__u32 fixed = layout->size, size = fixed;

	if (fixed < FREC_BPF_COMMON_SIZE || fixed > FREC_BPF_RECORD_MAX ||
	    bpf_probe_read_kernel(payload + FREC_BPF_COMMON_SIZE, fixed - FREC_BPF_COMMON_SIZE,
				  context + FREC_BPF_COMMON_SIZE))
		return 0;
	for (__u32 i = 0; i < FREC_TRACEPOINT_DATA_MAX && i < layout->count; i++) {
		__u32 end = end_of_data(payload, &layout->data[i]);

		size = end > size ? end : size;
	}
	if (size == fixed)
		return size;
	if (size > FREC_BPF_RECORD_MAX ||
	    bpf_probe_read_kernel(payload + FREC_BPF_COMMON_SIZE, size - FREC_BPF_COMMON_SIZE,
				  context + FREC_BPF_COMMON_SIZE))
		return 0;
	return size;
}

// Returns 1, because the kernel keeps the event from every other user of perf if a program on the
// tracepoint returns 0.
SEC("tp")
int tracepoint(void *context)
{
	__u32 slot = bpf_get_attach_cookie(context), size;
	const struct frec_tracepoint_layout *layout = bpf_map_lookup_elem(&layouts, &slot);
	struct frec_bpf_counts *count = frec_counts_of(slot);
	struct frec_bpf_buffer *buffer;

	if (!layout || !layout->on || !count)
		return 1;
	buffer = frec_record_begin(count);
	if (!buffer)
		return 1;
	*(__u16 *)buffer->data = (__u16)layout->id;
	size = copy(buffer->data, context, layout);
	if (size)
		frec_output(context, slot, count, buffer->data, size);
	else
		__sync_fetch_and_add(&count->lost, 1);
	frec_buffer_release(buffer);
	return 1;
}
