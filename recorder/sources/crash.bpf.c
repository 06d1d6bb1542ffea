// SPDX-License-Identifier: MIT OR GPL-2.0-only
// Records what the tracepoint signal:signal_deliver does not contain about a fatal signal: the
// faulting address, the sender, and the memory that perf's copy of the stack does not have
// (crash_stack.bpf.h). Runs in the kernel, in the dying thread. On a kernel without BTF this
// program cannot be loaded; the recorder then works without this information.
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "recorder/sources/bpf_output.bpf.h"
#include "recorder/sources/crash_record.h"
#include "recorder/sources/crash_stack.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

// The kernel's types, with only the members that are read here. Their offsets come from the running
// kernel's BTF.
union __sifields {
	struct {
		int _pid;
	} _kill;
	struct {
		void *_addr;
	} _sigfault;
} __attribute__((preserve_access_index));

struct kernel_siginfo {
	int si_signo;
	int si_code;
	union __sifields _sifields;
} __attribute__((preserve_access_index));

struct sigaction {
	void *sa_handler;
} __attribute__((preserve_access_index));

struct k_sigaction {
	struct sigaction sa;
} __attribute__((preserve_access_index));

// How many pages of the stacks of root's processes, and of others, a CPU writes in a second. If
// many processes die at once, the pages of a few would otherwise fill the crash ring before the
// recorder gets to run, and the records of the others, each with perf's copy of the stack, would be
// lost.
const volatile __u64 frec_pages_of_root = 0, frec_pages_of_others = 0;

#define SECOND 1000000000ull

struct written {
	__u64 since, pages;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32); // 0: processes of root, 1: others
	__type(value, struct written);
} written SEC(".maps");

static __always_inline int may_write(__u64 pages)
{
	__u32 others = (__u32)bpf_get_current_uid_gid() != 0;
	struct written *before = bpf_map_lookup_elem(&written, &others);
	__u64 now = bpf_ktime_get_ns();

	if (!before)
		return 0;
	if (now - before->since > SECOND) {
		before->since = now;
		before->pages = 0;
	}
	before->pages += pages;
	return before->pages <= (others ? frec_pages_of_others : frec_pages_of_root);
}

// Writes the record to a slot: 0 for the rings, 1 for the crash rings.
static __always_inline void write_record(void *context, __u32 slot,
					 struct frec_crash_record *record, __u64 size)
{
	struct frec_bpf_counts *count = frec_counts_of(slot);

	if (!count)
		return;
	__sync_fetch_and_add(&count->begun, 1);
	frec_output(context, slot, count, record, size);
}

SEC("raw_tp/signal_deliver")
int signal_deliver(struct bpf_raw_tracepoint_args *context)
{
	__u64 size = __builtin_offsetof(struct frec_crash_record, memory);
	int sig = (int)context->args[0];
	struct kernel_siginfo *info = (void *)context->args[1];
	struct k_sigaction *action = (void *)context->args[2];
	struct frec_crash_record *record;
	__u32 pages;

	if (!FREC_IS_CRASH(sig) || BPF_CORE_READ(action, sa.sa_handler))
		return 0;
	record = frec_crash_record_here();
	if (!record)
		return 0;
	record->signal = sig;
	record->code = BPF_CORE_READ(info, si_code);
	record->address =
		record->code > 0 ? (__u64)BPF_CORE_READ(info, _sifields._sigfault._addr) : 0;
	record->sender_pid = record->code <= 0 ? BPF_CORE_READ(info, _sifields._kill._pid) : 0;
	// The rings get no memory, because crashes would overwrite the events that led to them.
	record->pages = 0;
	write_record(context, 0, record, size);
	frec_copy_stack(record);
	if (!may_write(record->pages))
		record->pages = 0;
	pages = record->pages;
	// The compiler would turn the sum into an or, whose limit the verifier does not see.
	asm volatile("" : "+r"(size));
	if (pages <= FREC_CRASH_PAGES)
		write_record(context, 1, record, size + pages * FREC_CRASH_PAGE);
	return 0;
}
