// SPDX-License-Identifier: MIT OR GPL-2.0-only
// The programs that bench_usdt compares flightrec's program with: an empty one, and one that only
// copies the payload.
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "recorder/sources/bpf_output.bpf.h"
#include "tests/bench/bench_usdt.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

SEC("uprobe")
int empty(struct pt_regs *context)
{
	return 0;
}

SEC("uprobe")
int copy(struct pt_regs *context)
{
	char record[BENCH_RECORD] = {};

	if (!bpf_probe_read_user(record + 8, BENCH_RECORD - 8,
				 (const void *)PT_REGS_PARM2(context)))
		bpf_perf_event_output(context, &rings, BPF_F_CURRENT_CPU, record, sizeof(record));
	return 0;
}
