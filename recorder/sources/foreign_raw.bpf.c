// SPDX-License-Identifier: MIT OR GPL-2.0-only
// Records the arguments of one kernel tracepoint. Their layout is set before the program is loaded,
// so the verifier and the kernel's JIT compiler see only the code that this tracepoint needs.
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "recorder/sources/foreign_text.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

// The kernel's type, with only the members that are read here. Their offsets come from the running
// kernel's BTF.
struct task_struct {
	int pid;
	char comm[FREC_FOREIGN_COMM_SIZE];
} __attribute__((preserve_access_index));

const volatile struct frec_raw_layout layout = {0};

// Set when every source is open on every CPU.
volatile int frec_on;

__noinline int write_text(struct frec_bpf_buffer *buffer, __u32 at, __u32 room, __u64 text)
{
	return buffer ? frec_write_text(buffer, at, room, (const void *)text, 0) : 0;
}

static __always_inline void write_task(__u8 *to, const struct task_struct *task)
{
	struct frec_foreign_task *out = (void *)to;

	__builtin_memset(out, 0, sizeof(*out));
	out->pid = BPF_CORE_READ(task, pid);
	BPF_CORE_READ_STR_INTO(&out->comm, task, comm);
}

// Writes argument `n`, which must be a constant, because the verifier refuses a program that could
// read more arguments than the tracepoint has.
#define WRITE(n) \
	if (n < layout.arguments) { \
		__u64 value = context->args[n]; \
\
		if (layout.argument[n].kind == FREC_RAW_TASK && \
		    layout.argument[n].task_at < FREC_BPF_RECORD_MAX) \
			write_task(buffer->data + layout.argument[n].task_at, (void *)value); \
		if (layout.argument[n].kind == FREC_RAW_TEXT) { \
			__u32 size = write_text(buffer, at, layout.text_size, value); \
\
			value = frec_text_word(n, at, size); \
			at += size; \
		} \
		*(__u64 *)(buffer->data + FREC_FOREIGN_ARGUMENT_OFFSET(n)) = value; \
	}

SEC("raw_tp")
int foreign_raw(struct bpf_raw_tracepoint_args *context)
{
	struct frec_bpf_counts *count = frec_counts_of(layout.slot);
	struct frec_bpf_buffer *buffer;
	__u32 at = layout.size;

	if (!frec_on || !count)
		return 0;
	buffer = frec_record_begin(count);
	if (!buffer)
		return 0;
	// clang-format off
	WRITE(0) WRITE(1) WRITE(2) WRITE(3) WRITE(4) WRITE(5)
	WRITE(6) WRITE(7) WRITE(8) WRITE(9) WRITE(10) WRITE(11)
	if (at > FREC_BPF_RECORD_MAX)
		at = FREC_BPF_RECORD_MAX;
	// clang-format on
	frec_output(context, layout.slot, count, buffer->data, at);
	frec_buffer_release(buffer);
	return 0;
}
