/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * How BPF programs write records: each source has a perf event of its own on each CPU, redirected
 * into that CPU's ring. `slot` is the source's number within one loaded object; `slot * cpus + cpu`
 * is the index of the source's event in `rings` and of its counts in `counts`.
 */
#ifndef FREC_RECORDER_SOURCES_BPF_OUTPUT_BPF_H
#define FREC_RECORDER_SOURCES_BPF_OUTPUT_BPF_H

#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

#include "recorder/sources/bpf_counts.h"

/* The number of possible CPUs. bpf_output.c sets it, and sizes the maps, before the object is
 * loaded. */
const volatile __u32 frec_cpus = 1;

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__type(key, int);
	__type(value, int);
	__uint(max_entries, 1);
} rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, int);
	__type(value, struct frec_bpf_counts);
	__uint(max_entries, 1);
} counts SEC(".maps");

/* Writes the common fields: the thread's id in common_pid, and zeroes in the others. */
static __always_inline void frec_write_common(void *data)
{
	*(__u64 *)data = bpf_get_current_pid_tgid() << 32;
}

/* Returns the counts of a source on this CPU, or NULL for a slot that does not exist. */
static __always_inline struct frec_bpf_counts *frec_counts_of(__u32 slot)
{
	__u32 key = slot * frec_cpus + bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&counts, &key);
}

/*
 * Writes a record that was counted as begun, and counts it as written or lost. If begun equals
 * written plus lost, no record is in progress.
 */
static __always_inline void frec_output(void *context, __u32 slot, struct frec_bpf_counts *count,
					void *data, __u64 size)
{
	if (bpf_perf_event_output(context, &rings, slot * frec_cpus + bpf_get_smp_processor_id(),
				  data, size))
		__sync_fetch_and_add(&count->lost, 1);
	else
		__sync_fetch_and_add(&count->written, 1);
}

#endif
