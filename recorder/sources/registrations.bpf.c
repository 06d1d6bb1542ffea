// SPDX-License-Identifier: MIT OR GPL-2.0-only
// Wakes the recorder when a process registers a new user event. Runs in the kernel, when it makes
// the event's folder in tracefs.
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096); // the loader sets the size of a page
} registrations SEC(".maps");

SEC("kprobe")
int registered(void *context)
{
	__u64 nothing = 0;

	// If there is no room, earlier ones have not been taken yet, and the recorder wakes for
	// those.
	bpf_ringbuf_output(&registrations, &nothing, sizeof(nothing), BPF_RB_FORCE_WAKEUP);
	return 0;
}
