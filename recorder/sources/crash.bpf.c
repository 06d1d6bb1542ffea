// SPDX-License-Identifier: MIT OR GPL-2.0-only
// Records what the tracepoint signal:signal_deliver does not contain about a fatal signal: the
// faulting address, the sender, and, if the stack pointer has run into a guard page, the stack
// above that page. Runs in the kernel, in the dying thread. On a kernel without BTF this program
// cannot be loaded; the recorder then works without this information.
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "recorder/sources/bpf_output.bpf.h"
#include "recorder/sources/crash_record.h"

#define PAGE 4096ul
// How many pages above the stack pointer to search for readable stack. The stack can be far away,
// because one frame can hold a large array.
#define PAGES_UP 512
#define PIECES (FREC_CRASH_RECORD_STACK / 4096)

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

struct pt_regs {
	unsigned long sp;
} __attribute__((preserve_access_index));

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct frec_crash_record);
} records SEC(".maps");

// Copies whole pages from the first readable one above the stack pointer. Copies nothing if the
// memory at the stack pointer is readable.
static __always_inline void read_stack(struct frec_crash_record *record, unsigned long sp)
{
	unsigned long address = sp;
	char probe;

	if (!bpf_probe_read_user(&probe, 1, (void *)sp))
		return;
	for (int i = 0; i < PAGES_UP; i++) {
		address = (address & ~(PAGE - 1)) + PAGE;
		if (!bpf_probe_read_user(&probe, 1, (void *)address)) {
			record->stack_address = address;
			break;
		}
	}
	if (!record->stack_address)
		return;
	for (int i = 0; i < PIECES; i++) {
		if (bpf_probe_read_user(record->stack + i * PAGE, PAGE,
					(void *)(address + i * PAGE)))
			break;
		record->stack_size += PAGE;
	}
}

// Whether the records in the rings have stacks, and not only those in the crash rings.
const volatile int frec_stacks_in_rings = 1;

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
	const __u64 head = __builtin_offsetof(struct frec_crash_record, stack);
	int sig = (int)context->args[0], zero = 0;
	struct kernel_siginfo *info = (void *)context->args[1];
	struct k_sigaction *action = (void *)context->args[2];
	struct frec_crash_record *record;
	struct pt_regs *regs;
	__u64 size;

	if (!FREC_IS_CRASH(sig) || BPF_CORE_READ(action, sa.sa_handler))
		return 0;
	record = bpf_map_lookup_elem(&records, &zero);
	if (!record)
		return 0;
	record->signal = sig;
	record->code = BPF_CORE_READ(info, si_code);
	record->address =
		record->code > 0 ? (__u64)BPF_CORE_READ(info, _sifields._sigfault._addr) : 0;
	record->sender_pid = record->code <= 0 ? BPF_CORE_READ(info, _sifields._kill._pid) : 0;
	record->stack_address = 0;
	record->stack_size = 0;
	regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
	read_stack(record, BPF_CORE_READ(regs, sp));
	size = record->stack_size ? sizeof(*record) : head;
	write_record(context, 0, record, frec_stacks_in_rings ? size : head);
	write_record(context, 1, record, size);
	return 0;
}
