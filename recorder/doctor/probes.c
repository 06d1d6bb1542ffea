// SPDX-License-Identifier: MIT
// The table of probes, and the verdict on their results.
#include "recorder/doctor/probes.h"

#include "recorder/doctor/probes_internal.h"

const struct frec_probe frec__probes[] = {
	{"tracefs", FREC_PROBE_USER_EVENTS, "finding events", frec__probe_tracefs},
	{"tracefs-rights", FREC_PROBE_USER_EVENTS, "reading about events",
	 frec__probe_tracefs_rights},
	{"user-events", FREC_PROBE_USER_EVENTS, "events of services", frec__probe_user_events},
	{"register", FREC_PROBE_USER_EVENTS, "emitting events", frec__probe_register},
	{"layouts", FREC_PROBE_USER_EVENTS, "one name, two layouts", frec__probe_layouts},

	{"uprobes", FREC_PROBE_USDT, "events of services", frec__probe_uprobe},
	{"semaphores", FREC_PROBE_USDT, "events off until recorded", frec__probe_semaphore},
	{"cookies", FREC_PROBE_USDT, "one program, many events", frec__probe_cookie},
	{"bpf-output", FREC_PROBE_USDT, "BPF's records in rings", frec__probe_bpf_output},
	{"usdt-program", FREC_PROBE_USDT, "payloads of any size", frec__probe_usdt_program},
	{"fast-uprobes", FREC_PROBE_USDT, "events without a trap", frec__probe_fast_uprobe},

	{"shared-memory", FREC_PROBE_SHM, "events without any right", frec__probe_memfd},
	{"robust-futex", FREC_PROBE_SHM, "off when recorder dies", frec__probe_robust_futex},
	{"memory-keys", FREC_PROBE_SHM, "a guard for shared rings", frec__probe_memory_keys},

	{"tracepoints", FREC_PROBE_KERNEL, "the kernel's events", frec__probe_tracepoint},
	{"btf", FREC_PROBE_KERNEL, "types for BPF programs", frec__probe_btf},
	{"raw-tracepoints", FREC_PROBE_KERNEL, "arguments by their types",
	 frec__probe_raw_tracepoint},
	{"fentry", FREC_PROBE_KERNEL, "functions of the kernel", frec__probe_fentry},

	{"rings", FREC_PROBE_RINGS, "a CPU's last seconds", frec__probe_ring},
	{"one-ring", FREC_PROBE_RINGS, "all events, in order", frec__probe_set_output},
	{"ring-memory", FREC_PROBE_RINGS, "rings of default size", frec__probe_ring_memory},
	{"descriptors", FREC_PROBE_RINGS, "many events, many CPUs", frec__probe_descriptors},
	{"stacks", FREC_PROBE_RINGS, "stacks with events", frec__probe_stacks},
	{"lost-counts", FREC_PROBE_RINGS, "counts of what was lost", frec__probe_lost},
	{"grace-periods", FREC_PROBE_RINGS, "complete snapshots", frec__probe_grace_periods},
	{"idle", FREC_PROBE_RINGS, "no wakes for nothing", frec__probe_idle},

	{"deaths", FREC_PROBE_CRASHES, "snapshots of crashes", frec__probe_deaths},
	{"fault-address", FREC_PROBE_CRASHES, "address, overflowed stack",
	 frec__probe_fault_address},
	{"core-dumps", FREC_PROBE_CRASHES, "when a crash is over", frec__probe_core_dumps},
	{"all-threads", FREC_PROBE_CRASHES, "stacks of all threads", frec__probe_all_threads},
	{"suid-dumps", FREC_PROBE_CRASHES, "daemons that left root", frec__probe_suid_dumps},
	{"exit-info", FREC_PROBE_CRASHES, "how others' children died", frec__probe_exit_info},

	{"processes", FREC_PROBE_PROCESSES, "names and mappings", frec__probe_visible},
	{"pid-namespace", FREC_PROBE_PROCESSES, "numbers of processes", frec__probe_pid_namespace},
	{"build-ids", FREC_PROBE_PROCESSES, "symbols of the dead", frec__probe_build_ids},

	{"cap-perfmon", FREC_PROBE_ENVIRONMENT, "perf events of all", frec__probe_cap_perfmon},
	{"cap-bpf", FREC_PROBE_ENVIRONMENT, "BPF programs", frec__probe_cap_bpf},
	{"perf-paranoid", FREC_PROBE_ENVIRONMENT, "perf events without caps", frec__probe_paranoid},
	{"clocks", FREC_PROBE_ENVIRONMENT, "one time line", frec__probe_clocks},
	{"container", FREC_PROBE_ENVIRONMENT, "where this runs", frec__probe_container},
	{"user-namespace", FREC_PROBE_ENVIRONMENT, "rights that count", frec__probe_user_namespace},
};
const size_t frec__probe_count = sizeof(frec__probes) / sizeof(frec__probes[0]);

#define NEEDS_MAX 10

typedef void (*needed)(struct frec_probe_result *ret);

/*
 * Tracepoints, or the events of a transport, can be recorded only if none of these probes reports
 * that something is missing. The first probe that does so is reported. All transports but shm need
 * the kernel's rings.
 */
#define RING_NEEDS \
	frec__probe_ring, frec__probe_set_output, frec__probe_tracefs_rights, frec__probe_deaths
static const needed tracepoint_needs[] = {frec__probe_tracepoint, RING_NEEDS, NULL};
static const needed transport_needs[FREC_PROBE_TRANSPORT_COUNT][NEEDS_MAX + 1] = {
	[FREC_PROBE_USER_EVENTS] = {frec__probe_user_events, frec__probe_register,
				    frec__probe_tracepoint, RING_NEEDS},
	[FREC_PROBE_USDT] = {frec__probe_uprobe, frec__probe_semaphore, frec__probe_cookie,
			     frec__probe_bpf_output, frec__probe_usdt_program, RING_NEEDS},
	[FREC_PROBE_SHM] = {frec__probe_memfd, frec__probe_robust_futex},
};

void frec__probes_run(struct frec_probe_result *ret)
{
	for (size_t i = 0; i < frec__probe_count; i++) {
		ret[i] = (struct frec_probe_result){0};
		frec__probes[i].probe(&ret[i]);
	}
}

static const struct frec_probe *first_lacking(const struct frec_probe_result *results,
					      const needed *needs)
{
	for (; *needs; needs++) {
		for (size_t i = 0; i < frec__probe_count; i++) {
			if (frec__probes[i].probe == *needs &&
			    results[i].state == FREC_PROBE_MISSING)
				return &frec__probes[i];
		}
	}
	return NULL;
}

void frec__probes_judge(const struct frec_probe_result *results, struct frec_probe_verdict *ret)
{
	*ret = (struct frec_probe_verdict){.tracepoints_lacking =
						   first_lacking(results, tracepoint_needs),
					   .automatic = -1,
					   .automatic_machine = -1};
	// The order in which frec__transport_choose() prefers transports.
	static const int order[] = {FREC_PROBE_USER_EVENTS, FREC_PROBE_SHM, FREC_PROBE_USDT};

	for (int i = 0; i < FREC_PROBE_TRANSPORT_COUNT; i++)
		ret->lacking[i] = first_lacking(results, transport_needs[i]);
	for (int i = 0; i < FREC_PROBE_TRANSPORT_COUNT; i++) {
		if (ret->lacking[order[i]])
			continue;
		if (ret->automatic < 0)
			ret->automatic = order[i];
		if (ret->automatic_machine < 0 && order[i] != FREC_PROBE_SHM)
			ret->automatic_machine = order[i];
	}
}
