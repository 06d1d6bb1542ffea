// SPDX-License-Identifier: MIT OR GPL-2.0-only
// Records the payload of an event at its site. Runs in the kernel, in the emitting thread. The
// breakpoint's cookie identifies the source. The thread has just assembled the payload on its
// stack, so the payload is in memory.
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "recorder/sources/bpf_buffers.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

static __always_inline int record(struct pt_regs *context)
{
	__u32 slot = bpf_get_attach_cookie(context);
	struct frec_bpf_counts *count = frec_counts_of(slot);
	const void *payload = (const void *)PT_REGS_PARM2(context);
	__u64 size = PT_REGS_PARM3(context);
	struct frec_bpf_buffer *buffer;

	if (!count)
		return 0;
	buffer = frec_record_begin(count);
	if (!buffer)
		return 0;
	if (size > FREC_BPF_RECORD_MAX - FREC_BPF_COMMON_SIZE ||
	    bpf_probe_read_user(buffer->data + FREC_BPF_COMMON_SIZE, size, payload))
		__sync_fetch_and_add(&count->lost, 1);
	else
		frec_output(context, slot, count, buffer->data, FREC_BPF_COMMON_SIZE + size);
	frec_buffer_release(buffer);
	return 0;
}

// Program `site` is for breakpoints that are set one by one, `sites` is for setting all breakpoints
// of a file at once. There are two programs because the kernel has to know the kind of breakpoints
// when it loads a program.
SEC("uprobe")
int site(struct pt_regs *context)
{
	return record(context);
}

SEC("uprobe")
int sites(struct pt_regs *context)
{
	return record(context);
}
