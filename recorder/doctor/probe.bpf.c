// SPDX-License-Identifier: MIT OR GPL-2.0-only
// The programs that doctor tries. Each one is loaded alone, so that it does not fail because of
// what another one needs.
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

// The pid of the process that tries the programs, in that process's pid namespace.
const volatile __u32 process;
const volatile __u64 space_device, space_inode;
__u64 runs;
__u64 cookie;

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__type(key, int);
	__type(value, int);
} rings SEC(".maps");

static __always_inline int run(void)
{
	struct bpf_pidns_info ids = {};

	if (!bpf_get_ns_current_pid_tgid(space_device, space_inode, &ids, sizeof(ids)) &&
	    ids.tgid == process)
		__sync_fetch_and_add(&runs, 1);
	return 0;
}

SEC("uprobe")
int site(void *context)
{
	return run();
}

SEC("uprobe")
int site_with_cookie(void *context)
{
	cookie = bpf_get_attach_cookie(context);
	return run();
}

// Runs when a thread sets its name.
SEC("raw_tp/task_rename")
int raw_tracepoint(void *context)
{
	return run();
}

SEC("fentry/vfs_read")
int function_entry(void *context)
{
	return run();
}

// Doctor runs this with BPF_PROG_TEST_RUN on the CPU of the ring.
SEC("raw_tp")
int output(void *context)
{
	__u64 record = 0x6672656364726f63;

	return bpf_perf_event_output(context, &rings, BPF_F_CURRENT_CPU, &record, sizeof(record)) !=
	       0;
}
